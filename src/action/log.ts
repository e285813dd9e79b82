import { type AnnotationProperties, error as coreError, debug, error, info, warning } from '@actions/core';
import type { Log } from '../core/log.ts';
import { type Problem, placeOf } from '../core/problem.ts';

/** The log of a job. Values from file and proxy are data: nothing in a message takes effect as a workflow command. */
export const actionsLog: Log = {
  debug: (message) => debug(message),
  info: (message) => info(withoutCommands(message)),
  warning: (message) => warning(message),
  error: (message) => error(message),
};

/** A log that changes every message on its way, for instance to mask emails. */
export function mappedLog(log: Log, map: (text: string) => string): Log {
  return {
    debug: (message) => log.debug(map(message)),
    info: (message) => log.info(map(message)),
    warning: (message) => log.warning(map(message)),
    error: (message) => log.error(map(message)),
  };
}

/**
 * The same text, with a blank put into whatever the runner would take as a command. Source: `ActionCommand.cs` of
 * actions/runner: a line that begins with `::` after blanks, and `##[` anywhere in a line; lines end at CR, LF or both.
 * Its comparison follows the culture, for which invisible characters do not count: neither do they here.
 * (`debug`, `warning` and `error` of `@actions/core` escape line breaks themselves.)
 */
export function withoutCommands(text: string): string {
  return text
    .split(/(\r\n|\r|\n)/)
    .map((line) => line.replace(COMMAND_V2, '$1 $2').replace(COMMAND_V1, '$1 ['))
    .join('');
}

/** Neither letter, digit, sign nor punctuation: blanks, controls, marks, invisible characters. */
const UNSEEN = '[^\\p{L}\\p{N}\\p{P}\\p{S}]*';
/** The same without blanks, which do count within a command. */
const INVISIBLE = '[^\\p{L}\\p{N}\\p{P}\\p{S}\\p{Z}]*';
const COMMAND_V2 = new RegExp(`^(${UNSEEN}:)(${INVISIBLE}:)`, 'u');
const COMMAND_V1 = new RegExp(`(#${INVISIBLE}#${INVISIBLE})\\[`, 'gu');

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
