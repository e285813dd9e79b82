/**
 * A write whose answer was lost (timeout, broken connection, a gateway's error page): it may or may not have taken
 * effect. Whoever catches it looks up what is true before repeating the write.
 */
export class AnswerLostError extends Error {
  override readonly name: string = 'AnswerLostError';
}

/** A run that must not go on, for a reason that its reader can do something about. Nothing was written. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Wrong usage: every problem with the inputs at once. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A request that was not sent, or not sent again, because the run was asked to end. It has had no effect. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';

  constructor() {
    super('the run was stopped');
  }
}

/**
 * Why the proxy refused a write, as far as a result file tells it apart.
 * - `exists`: somebody else made the user in the meantime.
 * - `invalid`: 400 or 422; `unauthorized`: 401; `forbidden`: 403.
 * - `unavailable`: 429, or no connection could be made: it would take the same write at another time.
 */
export type RefusalCode = 'exists' | 'invalid' | 'unauthorized' | 'forbidden' | 'unavailable' | 'other';

/** A failed request that knows why it was refused. */
export abstract class CodedError extends Error {
  abstract readonly code: RefusalCode;
}

/** The error's own code; `other` for an error without one. */
export function refusalCode(error: unknown): RefusalCode {
  return error instanceof CodedError ? error.code : 'other';
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
