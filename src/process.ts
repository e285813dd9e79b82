import { withoutKeys } from './core/secret.ts';
import { VERSION } from './version.ts';

/** Whether this can only come of a mistake in our own code: everything that others do to us has an error of its own. */
export function isDefect(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}

/** What to tell about a defect of ours: that it is one, where to report it, and that nothing written down is lost. */
export function defectText(error: unknown, env: NodeJS.ProcessEnv): string {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return withoutKeys(
    [
      `This is a defect of LiteLLM User Sync ${VERSION}, not of your file or your proxy: ${what}`,
      ...framesOf(error),
      `Please report it with these lines, without keys and addresses, at ${issuesPage(env)}.`,
      'If changes were being applied, their journal is kept: the end of the job, or the next run with the same output-directory, goes on from there.',
    ].join('\n'),
  );
}

const MOST_FRAMES = 5;

/** Where it happened, without the folders of the machine that it happened on. */
function framesOf(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, MOST_FRAMES)
    .map((line) => line.replace(/[^\s(]*[/\\]/g, ''));
}

/** The runner tells which repository an action was taken from; a command line tool does not know. */
function issuesPage({ GITHUB_SERVER_URL: server, GITHUB_ACTION_REPOSITORY: repository }: NodeJS.ProcessEnv): string {
  return server && repository
    ? `${server}/${repository}/issues`
    : 'the page *Issues* of the repository that this tool was taken from';
}

/**
 * The last net, under everything that is caught: tells that it is our defect and ends with exit code 1. Ends at once,
 * because the state of the program is unknown; the journal on disk is left alone.
 */
export function catchDefects(tell: (message: string) => void, env: NodeJS.ProcessEnv): void {
  const caught = (error: unknown): void => {
    if (isClosedPipe(error)) return;
    tell(defectText(error, env));
    process.exit(1);
  };
  process.on('uncaughtException', caught);
  process.on('unhandledRejection', caught);
}

/** `… list | head`: the reader of our output is gone. That is no reason to leave work half done. */
function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EPIPE';
}
