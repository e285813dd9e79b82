import { didYouMean, shown } from '../core/did-you-mean.ts';
import type { Mail } from '../core/outcome.ts';
import type { Problem } from '../core/problem.ts';
import { Secret } from '../core/secret.ts';

const NAMES = ['link', 'email', 'expires_at', 'team_name', 'proxy_url'] as const;
type Name = (typeof NAMES)[number];

/** A text of which every placeholder is known. */
export interface Template {
  readonly text: string;
}

/** What a mail says about one person. */
export interface MailValues {
  readonly email: string;
  readonly link: Secret;
  /** Taken out of servers' answers like the link. */
  readonly invitationId: Secret;
  /** As the proxy gives it, ISO 8601. */
  readonly expiresAt: string;
  /** Team names joined by `;`; empty: no team. */
  readonly teamName: string;
  readonly proxyUrl: string;
}

export const DEFAULT_SUBJECT = 'Your LiteLLM account';

export const DEFAULT_TEMPLATE = `Hello,

an account on the LiteLLM proxy was set up for you:

  Sign-in name: {{email}}
  Proxy:        {{proxy_url}}

Open this link to choose your password:

  {{link}}

It can be used once, until {{expires_at}}. Please do not forward it: whoever opens it first gets the account.
If the link has expired, ask for a new one.
`;

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

/**
 * The template that a file of the repository holds; `null` for the one that comes with us.
 * Plain text, its placeholders all known, and exactly one `{{link}}`, with nothing beside it that a mail program could
 * take for a part of the address.
 */
export function readTemplate(text: string | null): Template | Problem {
  if (text === null) return { text: DEFAULT_TEMPLATE };
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  for (const [index, line] of lines.entries()) {
    const message = lineProblem(line, NAMES);
    if (message !== null) return { line: index + 1, column: null, message };
  }
  return linkProblem(lines) ?? { text: `${lines.join('\n').trimEnd()}\n` };
}

/** The subject; `null` for the default. It may name everything but the link. */
export function readSubject(text: string | null): Template | Problem {
  if (text === null || text.trim() === '') return { text: DEFAULT_SUBJECT };
  const message = CONTROL.test(text.trim())
    ? 'The subject must be one line, without control characters.'
    : lineProblem(
        text,
        NAMES.filter((name) => name !== 'link'),
      );
  return message === null ? { text: text.trim() } : { line: null, column: null, message };
}

export function isProblem(read: Template | Problem): read is Problem {
  return 'message' in read;
}

/** The mail for one person. Values are put in as they are: braces in them stay braces, line breaks become blanks. */
export function composeMail(template: Template, subject: Template, values: MailValues): Mail {
  const shown = {
    email: values.email,
    expires_at: shownTime(values.expiresAt),
    team_name: values.teamName,
    proxy_url: values.proxyUrl,
  };
  return {
    to: values.email,
    subject: filled(subject.text, { ...shown, link: '' }),
    text: new Secret(filled(template.text, { ...shown, link: values.link.reveal() })),
    secrets: [values.link, values.invitationId],
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/;

function lineProblem(line: string, allowed: readonly string[]): string | null {
  if (/<(?:!doctype|html|head|body|br|p|a\s)[^<]*>/i.test(line)) {
    return 'This looks like HTML, and mails are plain text: write the text alone, the link is made clickable by the mail program.';
  }
  for (const [, written = ''] of line.matchAll(PLACEHOLDER)) {
    if (allowed.includes(written.trim())) continue;
    return `\`{{${written}}}\` is not a placeholder.${didYouMean(written.trim(), allowed)} Allowed: ${listed(allowed)}.`;
  }
  if (/\{\{|\}\}/.test(line.replace(PLACEHOLDER, ''))) {
    return `\`{{\` or \`}}\` without its counterpart. A placeholder is one of ${listed(allowed)}.`;
  }
  return null;
}

const LINK = /\{\{\s*link\s*\}\}/g;

function linkProblem(lines: readonly string[]): Problem | null {
  const found = lines.flatMap((line, index) => [...line.matchAll(LINK)].map((match) => ({ line, index, match })));
  const [first, second] = found;
  if (first === undefined) {
    const message = 'The template has no `{{link}}`: write it once, with blanks or line ends around it.';
    return { line: null, column: null, message };
  }
  const at = second ?? first;
  const message = second === undefined ? besideLink(first) : '`{{link}}` stands here a second time: write it once.';
  return message === null ? null : { line: at.index + 1, column: null, message };
}

function besideLink({ line, match }: { line: string; match: RegExpExecArray }): string | null {
  const before = line.slice(0, match.index).slice(-1);
  const after = line.slice(match.index + match[0].length).slice(0, 1);
  if (`${before}${after}`.trim() === '') return null;
  const neighbour = before.trim() === '' ? after : before;
  const seen = /[\p{C}\p{M}]/u.test(neighbour) ? shown([neighbour]) : `\`${neighbour}\``;
  return `${seen} stands next to \`{{link}}\`, and mail programs may take it for a part of the address: put blanks or line ends around \`{{link}}\`.`;
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`{{${name}}}\``).join(', ');
}

function filled(text: string, values: Readonly<Record<Name, string>>): string {
  return text.replace(PLACEHOLDER, (_, written: string) => oneLine(values[written.trim() as Name]));
}

function oneLine(value: string): string {
  return value.replace(new RegExp(`(?:${CONTROL.source}|\\t)+`, 'g'), ' ').trim();
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** `2 August 2026, 10:11 UTC`; what is not such a time stays as it is. The proxy's times are UTC, with or without zone. */
function shownTime(iso: string): string {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|\+00:?00)?$/.exec(iso.trim());
  const month = MONTHS[Number(found?.[2]) - 1];
  return found === null || month === undefined ? iso : `${Number(found[3])} ${month} ${found[1]}, ${found[4]} UTC`;
}
