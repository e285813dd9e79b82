import { type AnnotationProperties, error as coreError } from '@actions/core';
import { type Problem, placeOf } from '../core/problem.ts';

/** GitHub shows ten annotations of a kind per step; the tenth error is the one that the failed step itself makes. */
const MOST = 9;

/**
 * Shows problems of the CSV as error annotations on the file.
 * @param file path inside the repository
 */
export function annotateProblems(problems: readonly Problem[], file: string): void {
  for (const problem of problems.slice(0, MOST)) coreError(problem.message, position(problem, file));
}

/**
 * Ends the step's own error message: `""`, or `" 3 more problems are listed in the log."`.
 * @param count of all problems, those shown on the file included
 */
export function moreProblems(count: number): string {
  const more = count - MOST;
  if (more <= 0) return '';
  return more === 1 ? ' 1 more problem is listed in the log.' : ` ${more} more problems are listed in the log.`;
}

function position(problem: Problem, file: string): AnnotationProperties {
  const { line, column } = problem;
  return {
    title: placeOf(problem) || 'User list',
    file,
    ...(line !== null && { startLine: line }),
    ...(line !== null && column !== null && { startColumn: column }),
  };
}
