/** Characters that are not seen, or that move what is seen: controls, bidi overrides, zero-width, odd blanks. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u.source;

/**
 * What a log could take for something else than a value:
 * - `##[` anywhere in a line and `::` at its start are commands to GitHub's runner (ActionCommand.cs of actions/runner);
 * - `<U+` would read as one of our own escapes.
 */
const MEANINGFUL = '#(?=#\\[)|^:(?=:)|<(?=U\\+)';

const SPECIAL = new RegExp(`${UNSEEN}|${MEANINGFUL}`, 'gu');

/** `<U+001B>` for the escape character. */
export function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/**
 * A value as one harmless run of text for a log or a terminal: what is not seen, or would act (ANSI escapes, line
 * breaks, bidi overrides, workflow commands), is shown as `<U+XXXX>`. Different values stay different.
 */
export function plain(value: string): string {
  return value.replace(SPECIAL, visible);
}
