import { messageOf } from '../core/errors.ts';
import { compare } from '../core/order.ts';
import type { Problem } from '../core/problem.ts';
import type { Failure } from '../host/port.ts';
import { problemLine } from '../render/rows.ts';

/** Everything that is wrong with the file: the run stops before a single write. */
export class FileProblemsError extends Error {
  override readonly name = 'FileProblemsError';
  readonly problems: readonly Problem[];

  constructor(csvFile: string, problems: readonly Problem[]) {
    const sorted = sortProblems(problems);
    super(problemsText(csvFile, sorted));
    this.problems = sorted;
  }

  /** Whether the file is to blame, and not the proxy alone. */
  get isAboutFile(): boolean {
    return this.problems.some((problem) => problem.about !== 'proxy');
  }
}

/** What a host tells of an error that ends a run. */
export function failureOf(error: unknown): Failure {
  if (error instanceof FileProblemsError) return { kind: 'file', problems: error.problems };
  return { kind: 'error', message: messageOf(error) };
}

/** By line and column; those about the whole file first. */
function sortProblems(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0) || compare(a.message, b.message),
  );
}

function problemsText(csvFile: string, problems: readonly Problem[]): string {
  return problems.map((problem) => problemLine(csvFile, problem)).join('\n');
}
