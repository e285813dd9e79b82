/** Where a run speaks to its reader. Never receives a secret or the body of a request. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warning(message: string): void;
  error(message: string): void;
}
