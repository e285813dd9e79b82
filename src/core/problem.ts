/** One thing wrong with the CSV file. A run reports all of them at once. */
export interface Problem {
  /** 1-based line of the file where the row begins; `null`: about the file as a whole. */
  readonly line: number | null;
  /** 1-based number of the cell in its row; `null`: about the row or the file as a whole. */
  readonly column: number | null;
  /** The header's name of the column: nobody counts cells. */
  readonly columnName?: string;
  /** The email of the row. */
  readonly email?: string;
  /** What is wrong, what is allowed, what to do. Without position; holds values of the file as they are. */
  readonly message: string;
  /** Given where the file is not to blame: it is the proxy that must be put right. */
  readonly about?: 'proxy';
}
