import type { Secret } from './secret.ts';

/** One mail to one person. The text holds their link. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: Secret;
  /** What a server's answer must not carry into a log: a filter may quote the link that it objects to. */
  readonly secrets: readonly Secret[];
}

/** What became of one mail. */
export type Delivery =
  /** The server took it over: `250 2.0.0 Ok: queued as 4F1`. */
  | { readonly kind: 'sent'; readonly response: string }
  /** It was not sent, for certain: the server's refusal (`550 5.1.1 …`), or what kept it from being asked. */
  | { readonly kind: 'failed'; readonly response: string }
  /** The mail was under way when the connection ended: it may have arrived, so it is never sent again by itself. */
  | { readonly kind: 'not known'; readonly reason: string };

/** Who sends mails; the transport is handed in as this. */
export interface Mailer {
  /** Connects and logs in. @throws RefusedError that says what is wrong, without the password. */
  verify(signal?: AbortSignal): Promise<void>;
  /**
   * Sends one mail; whatever the server does, it is a {@link Delivery} and not an error. Mails may be handed over all at
   * once: few go out at the same time.
   * @param begin awaited when it is the mail's turn, before anything of it leaves; `false`: it is not sent
   */
  send(mail: Mail, signal?: AbortSignal, begin?: () => Promise<boolean>): Promise<Delivery>;
  /** Says goodbye to the server. */
  close(): void;
}

/** What a link reads in every file once the server's 250 is on disk. */
export const DELIVERED = 'delivered';

/** The cell of the column `delivery`. */
export function deliveryCell(delivery: Delivery): string {
  switch (delivery.kind) {
    case 'sent':
      return `sent (${delivery.response})`;
    case 'failed':
      return `failed (${delivery.response})`;
    case 'not known':
      return `not known (${delivery.reason}): ask whether the mail has arrived; if not, send a new link with \`onboard\``;
  }
}

/** Why the row is `FAILED`, with the way out; `null` where the mail was sent. */
export function undelivered(delivery: Delivery): string | null {
  switch (delivery.kind) {
    case 'sent':
      return null;
    case 'failed':
      return `The mail with the link was not sent (${delivery.response}). Put right what it names, then send a new link with \`onboard\`.`;
    case 'not known':
      return `Whether the mail with the link was sent is not known (${delivery.reason}). Ask whether it has arrived; if not, send a new link with \`onboard\`.`;
  }
}
