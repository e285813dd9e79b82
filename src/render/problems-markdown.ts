import type { Problem } from '../core/problem.ts';
import { code, prose } from './escape.ts';
import { type DocumentOptions, fitDocument } from './fit.ts';
import { plural } from './labels.ts';
import { heading } from './plan-markdown.ts';

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
          header: ['Line', 'Column', 'Problem'],
          count: problems.length,
          row: (index) => {
            const { line, column, message } = problems[index] as Problem;
            return [position(line), position(column), prose(message)];
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

/** Why there is no plan or no result. */
export function failureMarkdown(
  message: string,
  options: { readonly title: string; readonly target: string | null },
): string {
  return `${heading(options)}\n\n> [!CAUTION]\n> ${prose(message)}\n`;
}
