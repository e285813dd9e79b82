import { code } from './escape.ts';
import { fitDocument } from './fit.ts';
import { heading } from './plan-markdown.ts';

export interface DocumentMarkdownOptions {
  readonly title: string;
  readonly target: string | null;
  /** A line of Markdown, without values. */
  readonly head: string;
  /** Messages to the reader, plain text; they may hold values. */
  readonly notes: readonly string[];
  readonly table: { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] } | null;
  /** Bytes of UTF-8, at least 5,000. */
  readonly limit: number;
  readonly rest: string;
}

/** A list of users, or an account of an export, for the job summary. */
export function documentMarkdown({ table, head, notes, rest, limit, ...named }: DocumentMarkdownOptions): string {
  const rows = table?.rows ?? [];
  const tables = [
    {
      heading: '### Users',
      intro: '',
      header: (table?.header ?? []).map((name) => code(name)),
      count: rows.length,
      row: (index: number) => (rows[index] ?? []).map((cell) => (cell === '' ? '–' : code(cell))),
      fold: 'open' as const,
    },
  ].filter(({ count }) => count > 0);
  return fitDocument({ head: [heading(named), head], notes, tables, foot: [], rest }, limit);
}
