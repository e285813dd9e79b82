import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Standin, type StandinOptions, startStandin } from '../../../standin/server.ts';
import { eventFile, sha } from '../../github/support.ts';
import { type Finished, privateFolder, type Run, type Started, startAction, startProcess } from './action.ts';
import { FakeArtifacts, runtimeToken } from './artifacts.ts';
import { entry } from './bundle.ts';
import { COMPANY, SAME, USER_LIST } from './company.ts';
import { FakeGitHub } from './github.ts';

export interface JobOptions {
  /** Without `INPUT_`; a blank one counts as not given. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: NodeJS.ProcessEnv;
  /** Changes the event's payload. */
  readonly payload?: (payload: Payload) => void;
  /** Of an earlier `main`: runs `post`. */
  readonly state?: Readonly<Record<string, string>>;
}

export interface Payload {
  ref?: string;
  after?: string;
  before?: string;
  commits?: { id: string; message: string }[];
  repository: Record<string, unknown>;
  pull_request?: Record<string, unknown> & { head: { sha: string }; number: number };
}

const TOKEN = 'ghs_token-of-the-job';

/** A repository on a forge, a proxy and an artifact service, all on this machine; gone when the test is over. */
export class World {
  readonly github = new FakeGitHub();
  readonly artifacts = new FakeArtifacts();
  readonly proxy: Standin;
  readonly folder: string;
  #runs = 0;

  private constructor(proxy: Standin) {
    this.proxy = proxy;
    this.folder = privateFolder(mkdtempSync(join(tmpdir(), 'bundle-test-')));
  }

  /** With pull request 7 open, whose head and base are those of the event `pull_request`; the base has `SAME`. */
  static async create(options: StandinOptions & { readonly csv?: string | Buffer } = {}): Promise<World> {
    const world = new World(
      await startStandin({ masterKey: 'sk-canary-master-key-of-the-proxy', seed: COMPANY, ...options }),
    );
    await Promise.all([world.github.start(), world.artifacts.start()]);
    onTestFinished(() => world.close());
    privateFolder(world.workspace);
    privateFolder(world.temp);
    world.write(options.csv ?? USER_LIST);
    world.github.openPull(7, { head: sha('a') });
    world.github.setFile(sha('b'), 'user_list.csv', Buffer.from(SAME));
    return world;
  }

  get workspace(): string {
    return join(this.folder, 'workspace');
  }

  get temp(): string {
    return join(this.folder, 'temp');
  }

  async close(): Promise<void> {
    await Promise.all([this.proxy.close(), this.github.close(), this.artifacts.close()]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Puts the CSV into the workspace, as the checkout has it. */
  write(csv: string | Buffer, name = 'user_list.csv'): void {
    writeFileSync(join(this.workspace, name), csv);
  }

  removeFile(): void {
    rmSync(join(this.workspace, 'user_list.csv'));
  }

  /** Moves the CSV into a folder of the workspace that is a git checkout of its own. */
  checkOutInto(folder: string): void {
    mkdirSync(join(this.workspace, folder, '.git'), { recursive: true });
    renameSync(join(this.workspace, 'user_list.csv'), join(this.workspace, folder, 'user_list.csv'));
  }

  /** What a push brings: the CSV of the workspace is at the branch's head, and at the commit that the run is about. */
  publish(...refs: string[]): void {
    const csv = readFileSync(join(this.workspace, 'user_list.csv'));
    for (const ref of ['main', ...refs]) this.github.setFile(ref, 'user_list.csv', csv);
  }

  /** The writes that have reached the proxy. */
  get proxyWrites(): string[] {
    return this.proxy.requests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`);
  }

  /** Runs the action for the event of this fixture. */
  run(event: string, options: JobOptions = {}): Promise<Run> {
    return this.start(event, options).done;
  }

  start(event: string, options: JobOptions = {}): Started {
    const files = privateFolder(join(this.folder, `run-${++this.#runs}`));
    return startAction(this.#environment(event, options, files), this.workspace, files);
  }

  /** Runs the command line tool in the workspace. */
  cli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
    const proxy = { LITELLM_BASE_URL: this.proxy.baseUrl, LITELLM_MASTER_KEY: this.proxy.masterKey };
    return startProcess([entry('cli/index.js'), ...args], { ...proxy, ...env }, this.workspace).done;
  }

  #environment(event: string, { inputs, env, payload, state }: JobOptions, files: string): NodeJS.ProcessEnv {
    const content = JSON.parse(readFileSync(eventFile(event), 'utf8')) as Payload;
    payload?.(content);
    const path = join(files, 'event.json');
    writeFileSync(path, JSON.stringify(content));
    const name = event.replace(/-.*/, '');
    const given = { ...this.#inputs(), ...inputs };
    return {
      ...this.#runner(),
      GITHUB_EVENT_NAME: name,
      GITHUB_EVENT_PATH: path,
      ...refOf(name, content),
      ...Object.fromEntries(Object.entries(given).map(([key, value]) => [`INPUT_${key.toUpperCase()}`, value])),
      ...Object.fromEntries(Object.entries(state ?? {}).map(([key, value]) => [`STATE_${key}`, value])),
      ...env,
    };
  }

  #inputs(): Record<string, string> {
    return {
      'base-url': this.proxy.baseUrl,
      // As a repository's owner would: nobody can open a link that begins with this machine's address.
      'public-url': 'https://llm.example.com',
      'master-key': this.proxy.masterKey,
      'github-token': TOKEN,
      retries: '0',
    };
  }

  #runner(): NodeJS.ProcessEnv {
    return {
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTOR: 'ann-admin',
      GITHUB_API_URL: this.github.origin,
      GITHUB_GRAPHQL_URL: `${this.github.origin}/graphql`,
      GITHUB_REPOSITORY: 'acme/users',
      GITHUB_RUN_ID: '4711',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_WORKSPACE: this.workspace,
      RUNNER_TEMP: this.temp,
      ACTIONS_RESULTS_URL: `${this.artifacts.origin}/`,
      ACTIONS_RUNTIME_TOKEN: runtimeToken(),
    };
  }
}

function refOf(name: string, payload: Payload): NodeJS.ProcessEnv {
  if (name === 'pull_request') {
    return { GITHUB_REF: `refs/pull/${payload.pull_request?.number}/merge`, GITHUB_SHA: sha('c') };
  }
  return { GITHUB_REF: payload.ref ?? 'refs/heads/main', GITHUB_SHA: payload.after ?? sha('e') };
}
