/** A run that must not go on, for a reason that its reader can do something about. Nothing was written. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}
