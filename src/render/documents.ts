import type { Problem } from '../core/problem.ts';
import { code, link, prose } from './escape.ts';
import { type DocumentOptions, fitDocument, type Table } from './fit.ts';
import { plural } from './labels.ts';
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

/** Everything that is wrong with the file, in the order given. */
export function problemsMarkdown(problems: readonly Problem[], options: DocumentOptions): string {
  const counted = `**${plural(problems.length, 'problem')} in ${code(options.csvFile)}.**`;
  return fitDocument(
    {
      head: [heading(options), `${counted} There is no plan, and nothing is applied, until the file is mended.`],
      notes: [],
      tables: [
        {
          heading: '### ❌ To mend',
          intro: '',
          header: ['Line', 'Column', 'User', 'Problem'],
          count: problems.length,
          row: (index) => {
            const { line, message, email, ...cell } = problems[index] as Problem;
            return [position(line), columnOf(cell), email === undefined ? '–' : code(email), prose(message)];
          },
          fold: 'never',
        },
      ],
      foot: [],
      rest: options.rest,
    },
    options.limit,
  );
}

const position = (value: number | null) => (value === null ? '–' : String(value));

function columnOf({ column, columnName }: Pick<Problem, 'column' | 'columnName'>): string {
  return columnName === undefined ? position(column) : code(columnName);
}

/** Why there is no plan or no result: `Not applied: …`. */
export function failureMarkdown(
  message: string,
  options: {
    readonly title: string;
    readonly target: string | null;
    /** The run that failed. */
    readonly links: readonly { readonly label: string; readonly url: string }[];
  },
): string {
  const links = options.links.map(({ label, url }) => link(label, url)).join(' · ');
  const blocks = [heading(options), `> [!CAUTION]\n> ${prose(message)}`, ...(links === '' ? [] : [links])];
  return `${blocks.join('\n\n')}\n`;
}
