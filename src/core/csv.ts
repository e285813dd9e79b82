import Papa from 'papaparse';
import { didYouMean } from './did-you-mean.ts';
import type { Problem } from './problem.ts';

/** What a command expects of its file. */
export interface TableSpec {
  readonly columns: readonly string[];
  readonly required: readonly string[];
  /** Other names of a column: `user_email` → `email`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** The header that messages show; `columns` where it is missing. */
  readonly shown?: readonly string[];
  /** The column that a file without a header has, and how its first cell tells that it is one. */
  readonly bare?: { readonly column: string; readonly is: (cell: string) => boolean };
}

export interface Cell {
  readonly text: string;
  /** 1-based number of the cell in its row. */
  readonly column: number;
}

export interface TableRow {
  /** 1-based line where the row begins. */
  readonly line: number;
  /** The cell of a column, blank where the row or the file has none. */
  cell(column: string): Cell;
}

export interface Table {
  readonly rows: readonly TableRow[];
  readonly problems: readonly Problem[];
  /** False where the header is unusable: rows were not read. */
  readonly readable: boolean;
}

interface RawRow {
  readonly line: number;
  readonly cells: readonly string[];
}

const BLANK: Cell = { text: '', column: 1 };

function wholeFile(message: string): Table {
  return { rows: [], problems: [{ line: null, column: null, message }], readable: false };
}

function expected(spec: TableSpec): string {
  return `Expected header: ${(spec.shown ?? spec.columns).join(',')}`;
}

/**
 * Reads a CSV file: UTF-8 with or without BOM, CRLF or LF, quoted cells, blank lines, `#` comment lines, header in any
 * case and order, cells trimmed, comma only. Everything wrong is reported at once; good rows are returned beside it.
 */
export function readTable(bytes: Uint8Array, spec: TableSpec): Table {
  const text = decode(bytes);
  if (typeof text !== 'string') return wholeFile(`${text.problem} ${expected(spec)}`);
  const { rows, problems } = splitRows(text);
  const header = bareHeader(rows[0], spec) ?? rows.shift();
  if (header === undefined) {
    return problems.length > 0
      ? { rows: [], problems, readable: false }
      : wholeFile(`The file is empty. ${expected(spec)}`);
  }
  const separator = wrongSeparator(header, spec);
  if (separator !== null) {
    return wholeFile(`The file is separated by ${separator}, not by commas. ${expected(spec)}`);
  }
  const { index, problems: headerProblems } = readHeader(header, spec);
  const readable = spec.required.every((column) => index.has(column));
  const bodyProblems = readable ? rows.flatMap((row) => surplusCells(row, header)) : [];
  return {
    rows: readable ? rows.map((row) => tableRow(row, index)) : [],
    problems: [...headerProblems, ...problems, ...bodyProblems],
    readable,
  };
}

/** The header that a file without one stands for; `null` where the first row is a header of its own. */
function bareHeader(first: RawRow | undefined, { bare }: TableSpec): RawRow | null {
  if (first === undefined || bare === undefined) return null;
  const [only = '', ...others] = first.cells;
  const isBare = bare.is(only) && others.every((cell) => cell === '');
  return isBare ? { line: first.line, cells: [bare.column] } : null;
}

function decode(bytes: Uint8Array): string | { problem: string } {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || bytes.includes(0)) {
    return { problem: 'The file is UTF-16 or binary, not UTF-8: save it as "CSV UTF-8".' };
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r\n?/g, '\n');
  } catch {
    return { problem: 'The file is not UTF-8 (Latin-1 or Windows-1252 perhaps): save it as "CSV UTF-8".' };
  }
}

/** Rows with content and the line where each begins; a row may span lines, comments and blank lines have none. */
function splitRows(text: string): { rows: RawRow[]; problems: Problem[] } {
  const rows: RawRow[] = [];
  const problems: Problem[] = [];
  let offset = 0;
  let line = 1;
  const skipTo = (end: number): void => {
    for (let at = text.indexOf('\n', offset); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) line++;
    offset = end;
  };
  // Comments above a row that was found: each of them has a line below it.
  const skipComments = (): void => {
    while (text[offset] === '#') skipTo(text.indexOf('\n', offset) + 1);
  };
  Papa.parse<string[]>(text, {
    delimiter: ',',
    comments: '#',
    newline: '\n',
    step: ({ data, errors, meta }) => {
      skipComments();
      const cells = data.map((cell) => cell.trim());
      if (cells.some((cell) => cell !== '') && !isIndentedComment(text, offset)) rows.push({ line, cells });
      for (const error of errors) problems.push({ line, column: null, message: quoteMessage(error.message) });
      skipTo(meta.cursor);
    },
  });
  return { rows, problems };
}

/** The library knows comments at the very beginning of a line only. */
function isIndentedComment(text: string, offset: number): boolean {
  const indented = /[ \t]+#/y;
  indented.lastIndex = offset;
  return indented.test(text);
}

function quoteMessage(reason: string): string {
  return `Misplaced or unclosed quotes (${reason}): a cell is quoted as a whole, a quote inside it is doubled ("").`;
}

function wrongSeparator(header: RawRow, spec: TableSpec): string | null {
  const [only, ...others] = header.cells;
  if (only === undefined || others.some((cell) => cell !== '')) return null;
  const names = new Set([...spec.columns, ...Object.keys(spec.aliases ?? {})]);
  const looksSplit = (separator: string): boolean => {
    const parts = only.split(separator);
    return parts.length > 1 && parts.some((part) => names.has(part.trim().toLowerCase().replace(/^"|"$/g, '')));
  };
  if (looksSplit(';')) return '`;`';
  if (looksSplit('\t')) return 'tabs';
  if (looksSplit('|')) return '`|`';
  return null;
}

function readHeader(header: RawRow, spec: TableSpec): { index: Map<string, number>; problems: Problem[] } {
  const index = new Map<string, number>();
  const problems: Problem[] = [];
  const report = (column: number | null, message: string): void => {
    problems.push({ line: header.line, column, message });
  };
  header.cells.forEach((cell, position) => {
    if (cell === '') return;
    const written = cell.toLowerCase();
    const name = spec.aliases?.[written] ?? written;
    if (!spec.columns.includes(name)) {
      report(position + 1, `Unknown column \`${cell}\`.${didYouMean(cell, spec.columns)} ${expected(spec)}`);
    } else if (index.has(name)) {
      report(position + 1, `Column \`${name}\` stands twice. ${expected(spec)}`);
    } else {
      index.set(name, position);
    }
  });
  for (const column of spec.required) {
    if (!index.has(column)) report(null, `No \`${column}\` column. ${expected(spec)}`);
  }
  return { index, problems };
}

function surplusCells(row: RawRow, header: RawRow): Problem[] {
  const at = row.cells.findIndex((cell, position) => cell !== '' && (header.cells[position] ?? '') === '');
  if (at === -1) return [];
  const message = `The row has ${row.cells.length} cells, the header ${header.cells.length}: a cell with a comma in it needs quotes ("a, b").`;
  return [{ line: row.line, column: at + 1, message }];
}

function tableRow(row: RawRow, index: ReadonlyMap<string, number>): TableRow {
  return {
    line: row.line,
    cell: (column) => {
      const position = index.get(column);
      if (position === undefined) return BLANK;
      return { text: withoutGuard(row.cells[position] ?? ''), column: position + 1 };
    },
  };
}

/** Takes off the `'` that our writers put before `=`, `+`, `-` and `@` so that a spreadsheet runs no formula. */
function withoutGuard(cell: string): string {
  return /^'+[=+\-@]/.test(cell) ? cell.slice(1) : cell;
}
