/**
 * A write whose answer was lost (timeout, broken connection, a gateway's error page): it may or may not have taken
 * effect. Whoever catches it looks up what is true before repeating the write.
 */
export class AnswerLostError extends Error {
  override readonly name: string = 'AnswerLostError';
}
