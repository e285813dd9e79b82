import { code } from './escape.ts';
import { fitDocument, type Table } from './fit.ts';
import { heading } from './plan-markdown.ts';

export interface DocumentMarkdownOptions {
  readonly title: string;
  readonly target: string | null;
  /** A line of Markdown, without values. */
  readonly head: string;
  /** Messages to the reader, plain text; they may hold values. */
  readonly notes: readonly string[];
  readonly table: Pick<Table, 'header' | 'count' | 'row'> | null;
  /** Bytes of UTF-8, at least 5,000. */
  readonly limit: number;
  readonly rest: string;
}

/** A list of users, or an account of an export, for the job summary. */
export function documentMarkdown({ table, head, notes, rest, limit, ...named }: DocumentMarkdownOptions): string {
  const tables: Table[] = table === null || table.count === 0 ? [] : [users(table)];
  return fitDocument({ head: [heading(named), head], notes, tables, foot: [], rest }, limit);
}

function users({ header, count, row }: Pick<Table, 'header' | 'count' | 'row'>): Table {
  return {
    heading: '### Users',
    intro: '',
    header: header.map((name) => code(name)),
    count,
    row: (index) => row(index).map((cell) => (cell === '' ? '–' : code(cell))),
    fold: 'open',
  };
}
