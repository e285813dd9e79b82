/**
 * One object for equal texts, and one for equal lists of texts: the roles and teams that 100,000 users have in common
 * are kept once, and not once a user.
 */
export class Shared {
  readonly #texts = new Map<string, string>();
  readonly #lists = new Map<string, readonly string[]>();

  text(text: string): string {
    return kept(this.#texts, text, text);
  }

  list(texts: readonly string[]): readonly string[] {
    return kept(this.#lists, JSON.stringify(texts), texts);
  }
}

function kept<T>(known: Map<string, T>, key: string, value: T): T {
  const first = known.get(key);
  if (first !== undefined) return first;
  known.set(key, value);
  return value;
}
