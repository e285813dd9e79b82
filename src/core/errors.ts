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

/** A wait that ended, or a request that was not sent, because the run was told to stop. Nothing took effect. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';

  constructor() {
    super('the run was stopped');
  }
}
