/** One thing wrong with the CSV file. A run reports all of them at once. */
export interface Problem {
  /** 1-based line of the file where the row begins; `null`: about the file as a whole. */
  readonly line: number | null;
  /** 1-based number of the cell in its row; `null`: about the row or the file as a whole. */
  readonly column: number | null;
  /** What is wrong, what is allowed, what to do. Without position; holds values of the file as they are. */
  readonly message: string;
  /** The header's name of the column, as the file writes it: readers do not count cells. */
  readonly columnName?: string;
  /** The email of the row, as the file writes it. */
  readonly email?: string;
  /** Given where an error file says it in other words, see `Rows`. */
  readonly code?: 'invalid email' | 'unknown team';
  /** Given where the file is not to blame: it is the proxy that must be put right. */
  readonly about?: 'proxy';
}

/**
 * What people know the place by: `team_name of may@example.com`; blank where the file as a whole is meant. An email that
 * the message names anyway is not said twice.
 */
export function placeOf({ columnName, email, message }: Problem): string {
  const row = email === undefined || message.includes(email) ? '' : email;
  if (columnName === undefined) return row;
  return row === '' ? columnName : `${columnName} of ${row}`;
}

/** What is known of a file's cells: its header, and the email of each row by line. */
export interface FileCells {
  readonly header: readonly string[];
  readonly rows: readonly { readonly line: number; readonly email: string }[];
}

/** The same problems with the names that readers know a cell by: its column's, and the email of its row. */
export function withCells(problems: readonly Problem[], { header, rows }: FileCells): Problem[] {
  if (problems.length === 0) return [];
  const emails = new Map(rows.map((row) => [row.line, row.email]));
  return problems.map((problem) => {
    const columnName = problem.column === null ? undefined : header[problem.column - 1];
    const email = problem.line === null ? undefined : emails.get(problem.line);
    return { ...problem, ...(columnName && { columnName }), ...(email && { email }) };
  });
}
