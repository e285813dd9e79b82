import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { runCli } from '../../src/cli/run.ts';

export interface Ended {
  /** `null`: killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A way to run the command line tool. */
export type Command = (argv: readonly string[], env: NodeJS.ProcessEnv, directory: string) => Promise<Ended>;

/** In this process, from the sources. */
export const inProcess: Command = async (argv, env, directory) => {
  const stdout = new Text();
  const stderr = new Text();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const code = await runCli(argv, env, { stdout, stderr }, directory);
  signals.forEach((signal, at) => {
    for (const added of process.listeners(signal)) if (!before[at]?.includes(added)) process.off(signal, added);
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
};

class Text extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/**
 * In a process of its own, from a bundle.
 * @param started Is given the process, to kill it.
 */
export function asChild(script: string, started: (child: ChildProcess) => void = () => {}): Command {
  return (argv, env, directory) =>
    new Promise((done, failed) => {
      const child = spawn(process.execPath, [script, ...argv], {
        cwd: directory,
        env: { PATH: process.env.PATH, ...env },
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      child.once('error', failed);
      child.once('close', (code) => done({ code, stdout, stderr }));
      started(child);
    });
}

/** What the steps of one job share. */
export interface ActionJob {
  /** `key=value` pairs that `main` left for `post`. */
  readonly stateFile: string;
  readonly eventFile: string;
}

/**
 * The action in a process of its own, as a runner starts it: flags become inputs.
 * @param phase `post` is given the state that `main` left.
 */
export function asAction(
  script: string,
  phase: 'main' | 'post',
  job: ActionJob,
  started: (child: ChildProcess) => void = () => {},
): Command {
  return (argv, env, directory) => {
    const inputs: Record<string, string> = {
      INPUT_COMMAND: argv[0] ?? '',
      INPUT_COMMENT: 'false',
      INPUT_ARTIFACTS: 'false',
    };
    for (let at = 1; at < argv.length; at += 2)
      inputs[`INPUT_${argv[at]?.slice(2).toUpperCase()}`] = argv[at + 1] ?? '';
    const run = asChild(script, started);
    return run(
      [],
      { ...env, ...inputs, ...jobEnv(job, directory), ...(phase === 'post' ? stateOf(job) : {}) },
      directory,
    );
  };
}

function jobEnv(job: ActionJob, directory: string): NodeJS.ProcessEnv {
  return {
    GITHUB_ACTIONS: 'true',
    GITHUB_EVENT_NAME: 'workflow_dispatch',
    GITHUB_EVENT_PATH: job.eventFile,
    GITHUB_OUTPUT: `${job.stateFile}.output`,
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REPOSITORY: 'acme/users',
    GITHUB_RUN_ID: '1',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: 'e'.repeat(40),
    GITHUB_STATE: job.stateFile,
    GITHUB_STEP_SUMMARY: `${job.stateFile}.summary`,
    GITHUB_WORKSPACE: directory,
    RUNNER_TEMP: directory,
  };
}

/** `name<<delimiter`, value, delimiter: the last value of a name counts. */
function stateOf({ stateFile }: ActionJob): NodeJS.ProcessEnv {
  const text = readFileSync(stateFile, 'utf8');
  const found = [...text.matchAll(/^(\w+)<<(\S+)\r?\n([\s\S]*?)\r?\n?^\2$/gm)];
  return Object.fromEntries(found.map(([, name, , value]) => [`STATE_${name}`, value]));
}
