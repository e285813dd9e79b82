import { createHash } from 'node:crypto';

/**
 * A value that must not be seen: an API key, an invitation id, an onboarding link.
 * Printed, interpolated, inspected or serialised it reads `***`; only {@link Secret.reveal} gives it away,
 * and only the writers of the secret files call that. Renderers for comment, log and summary take strings, so a
 * `Secret` does not fit into them.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** What the proxy knows a key by (source: `hash_token`, all versions): SHA-256 in hexadecimal digits. */
  hash(): string {
    return createHash('sha256').update(this.#value).digest('hex');
  }

  /** `sk-...abcd`, as the proxy itself abbreviates a key. */
  abbreviated(): string {
    return `sk-...${this.#value.slice(-4)}`;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***';
  }
}

/** Text that others wrote, with what looks like a key of the proxy made unreadable. */
export function withoutKeys(text: string): string {
  return text.replace(/\bsk-[\w-]{8,}/g, 'sk-***');
}
