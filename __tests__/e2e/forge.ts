import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError, send, sendJson } from './http.ts';
import { unzip } from './unzip.ts';

export interface Run {
  readonly id: number;
  readonly event: string;
  readonly status: string;
  readonly conclusion?: string;
}

export interface Comment {
  readonly id: number;
  readonly body: string;
}

export interface Issue extends Comment {
  readonly number: number;
  readonly title: string;
  readonly state: string;
}

export interface Pull {
  readonly number: number;
  readonly merge_commit_sha: string | null;
  readonly mergeable: boolean;
  readonly head: { readonly sha: string };
}

/** File names to texts. */
export type Artifact = ReadonlyMap<string, Buffer>;

/** In the forge's words. */
export type MergeStyle = 'merge' | 'squash' | 'rebase';

const ORGANISATION = 'acme';
const RUN_SECONDS = 180;

/** A Gitea with a runner: what a person does in its web pages, by its REST API. */
export class Forge {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  call<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    return sendJson<T>({ url: `${this.#url}/api/v1${path}`, method, authorization: `token ${this.#token}`, body });
  }

  /** The same in the name of somebody else. */
  as(token: string): Forge {
    return new Forge(this.#url, token);
  }

  async createRepository(name: string, visibility: 'private' | 'public'): Promise<string> {
    const organisation = { username: ORGANISATION, visibility: 'public' };
    await tolerate([409, 422], () => this.call('POST', '/orgs', organisation));
    await this.call('POST', `/orgs/${ORGANISATION}/repos`, {
      name,
      private: visibility === 'private',
      default_branch: 'main',
    });
    return `${ORGANISATION}/${name}`;
  }

  deleteRepository(name: string): Promise<void> {
    return tolerate([404], () => this.call('DELETE', `/repos/${ORGANISATION}/${name}`));
  }

  secret(repository: string, name: string, data: string): Promise<unknown> {
    return this.call('PUT', `/repos/${repository}/actions/secrets/${name}`, { data });
  }

  variable(repository: string, name: string, value: string): Promise<unknown> {
    return this.call('POST', `/repos/${repository}/actions/variables/${name}`, { value });
  }

  /** Pushes a folder as the first commit of `main`; gives its id. */
  async pushFolder(repository: string, folder: string): Promise<string> {
    return this.inClone(async (clone, git) => {
      cpSync(folder, clone, { recursive: true });
      git('init', '-q', '-b', 'main');
      git('add', '-A', '-f');
      git('commit', '-q', '-m', 'Start');
      git('push', '-q', this.remote(repository), 'main');
      // A first push is taken in late: until then the server answers questions about files with 500.
      while ((await this.call<{ empty: boolean }>('GET', `/repos/${repository}`)).empty) await sleep(100);
      return git('rev-parse', 'HEAD');
    });
  }

  remote(repository: string): string {
    return `${this.#url.replace('://', `://lab-admin:${this.#token}@`)}/${repository}.git`;
  }

  /** Runs git commands in a folder of their own, by nobody's configuration. */
  async inClone<T>(work: (folder: string, git: (...args: string[]) => string) => Promise<T>): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'e2e-clone-'));
    const who = { NAME: 'Lab', EMAIL: 'lab@example.com' };
    const identity = Object.entries(who).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]);
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', ...Object.fromEntries(identity) };
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: folder, env, encoding: 'utf8', stdio: 'pipe' }).trim();
    try {
      return await work(folder, git);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Commits a file on a branch, made from `main` with `isNew`; gives the commit's id. */
  async commit(repository: string, branch: string, path: string, text: string, isNew = false): Promise<string> {
    const file = `/repos/${repository}/contents/${path}`;
    const { sha } = await this.call<{ sha: string }>('GET', `${file}?ref=${isNew ? 'main' : branch}`);
    const done = await this.call<{ commit: { sha: string } }>('PUT', file, {
      content: Buffer.from(text).toString('base64'),
      sha,
      message: `Edit ${path}`,
      ...(isNew ? { branch: 'main', new_branch: branch } : { branch }),
    });
    return done.commit.sha;
  }

  /** The text of a file on `main`. */
  async file(repository: string, path: string): Promise<string> {
    return (await this.#bytes(`/repos/${repository}/raw/${path}?ref=main`)).toString();
  }

  pull(repository: string, number: number): Promise<Pull> {
    return this.call('GET', `/repos/${repository}/pulls/${number}`);
  }

  openPull(repository: string, head: string, title: string): Promise<Pull> {
    return this.call('POST', `/repos/${repository}/pulls`, { head, base: 'main', title });
  }

  /** Merges as a person would; gives the id of the commit that the branch then points to. */
  async merge(repository: string, number: number, style: MergeStyle = 'merge'): Promise<string> {
    for (let tries = 0; tries < 60 && !(await this.pull(repository, number)).mergeable; tries++) await sleep(250);
    await this.call('POST', `/repos/${repository}/pulls/${number}/merge`, { Do: style });
    return (await this.pull(repository, number)).merge_commit_sha ?? '';
  }

  comments(repository: string, number: number): Promise<Comment[]> {
    return this.call('GET', `/repos/${repository}/issues/${number}/comments`);
  }

  /** All of them, open or not. */
  issues(repository: string): Promise<Issue[]> {
    return this.call('GET', `/repos/${repository}/issues?type=issues&state=all`);
  }

  dispatch(repository: string, workflow: string, inputs: Readonly<Record<string, string>>): Promise<unknown> {
    return this.call('POST', `/repos/${repository}/actions/workflows/${workflow}/dispatches`, { ref: 'main', inputs });
  }

  async runs(repository: string, query: string): Promise<Run[]> {
    const path = `/repos/${repository}/actions/runs?limit=50&${query}`;
    return (await this.call<{ workflow_runs: Run[] | null }>('GET', path)).workflow_runs ?? [];
  }

  /** Waits for the run of an event (of a commit) that is not among those known to be there. */
  appeared(repository: string, event: string, sha = '', known: readonly number[] = []): Promise<Run> {
    return this.#await(repository, event, sha, (run) => !known.includes(run.id));
  }

  /** The same, until it is completed; one that a newer run has cancelled does not count. */
  finished(repository: string, event: string, sha = '', known: readonly number[] = []): Promise<Run> {
    const isDone = ({ status, conclusion }: Run) => status === 'completed' && conclusion !== 'cancelled';
    return this.#await(repository, event, sha, (run) => !known.includes(run.id) && isDone(run));
  }

  async #await(repository: string, event: string, sha: string, isIt: (run: Run) => boolean): Promise<Run> {
    const query = `event=${event}${sha === '' ? '' : `&head_sha=${sha}`}`;
    let found: Run[] = [];
    for (const end = Date.now() + RUN_SECONDS * 1000; Date.now() < end; await sleep(400)) {
      found = await this.runs(repository, query);
      const run = found.find(isIt);
      if (run !== undefined) return run;
    }
    throw new Error(`${repository}: no such run of ${event} ${sha} in ${RUN_SECONDS} s, only ${JSON.stringify(found)}`);
  }

  /** Starts a run once more, and waits until it is completed. */
  async repeat(repository: string, { id }: Run): Promise<Run> {
    const path = `/repos/${repository}/actions/runs/${id}`;
    await this.call('POST', `${path}/rerun`);
    for (const end = Date.now() + RUN_SECONDS * 1000; Date.now() < end; await sleep(400)) {
      const run = await this.call<Run>('GET', path);
      if (run.status === 'completed') return run;
    }
    throw new Error(`${repository}: run ${id} was not completed again in ${RUN_SECONDS} s`);
  }

  async logs(repository: string, run: number): Promise<string> {
    const { jobs } = await this.call<{ jobs: { id: number; name: string; conclusion: string }[] }>(
      'GET',
      `/repos/${repository}/actions/runs/${run}/jobs`,
    );
    const texts: string[] = [];
    for (const { id, name, conclusion } of jobs) {
      if (conclusion === 'skipped') continue;
      texts.push(`--- ${name}: ${conclusion}\n${await this.#bytes(`/repos/${repository}/actions/jobs/${id}/logs`)}`);
    }
    return texts.join('\n');
  }

  async artifacts(repository: string, run: number): Promise<ReadonlyMap<string, Artifact>> {
    const { artifacts } = await this.call<{ artifacts: { id: number; name: string }[] | null }>(
      'GET',
      `/repos/${repository}/actions/runs/${run}/artifacts`,
    );
    const found = new Map<string, Artifact>();
    for (const { id, name } of artifacts ?? []) {
      found.set(name, unzip(await this.#bytes(`/repos/${repository}/actions/artifacts/${id}/zip`)));
    }
    return found;
  }

  #bytes(path: string): Promise<Buffer> {
    return send({ url: `${this.#url}/api/v1${path}`, method: 'GET', authorization: `token ${this.#token}` });
  }

  /** A person without rights, with a token. */
  async createUser(name: string): Promise<Forge> {
    const password = `aA1!${randomBytes(12).toString('hex')}`;
    const user = { username: name, email: `${name}@example.com`, password, must_change_password: false };
    await this.call('POST', '/admin/users', user);
    const { sha1 } = await sendJson<{ sha1: string }>({
      url: `${this.#url}/api/v1/users/${name}/tokens`,
      method: 'POST',
      authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
      body: { name: 'test', scopes: ['all'] },
    });
    return this.as(sha1);
  }

  /**
   * Lets the first run of a stranger's fork start. The REST API has no call for it: the button of the web page, by a session.
   * Not for a run that waits for no approval: Gitea 1.26.2 sets its jobs back to "waiting" when they are taken already,
   * and the run never ends.
   */
  async approve(repository: string, run: number): Promise<void> {
    const name = `approver-${randomBytes(4).toString('hex')}`;
    const password = `aA1!${randomBytes(12).toString('hex')}`;
    const user = { username: name, email: `${name}@example.com`, password, must_change_password: false };
    await this.call('POST', '/admin/users', user);
    await this.call('PATCH', `/admin/users/${name}`, { admin: true, login_name: name, source_id: 0 });
    const form = { method: 'POST', redirect: 'manual' } as const;
    const login = await fetch(`${this.#url}/user/login`, {
      ...form,
      body: new URLSearchParams({ user_name: name, password }),
    });
    // The session's cookie is set twice, and the later one counts.
    const cookies = new Map(login.headers.getSetCookie().map((line) => [line.split('=', 1)[0], line.split(';', 1)[0]]));
    const cookie = [...cookies.values()].join('; ');
    const approved = await fetch(`${this.#url}/${repository}/actions/runs/${run}/approve`, {
      ...form,
      headers: { cookie },
    });
    if (approved.status >= 400)
      throw new Error(`The run was not approved: ${approved.status} ${await approved.text()}`);
  }
}

/** Waits for a call that may answer with one of these status codes, too. */
async function tolerate(codes: readonly number[], call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof HttpError) || !codes.includes(error.status)) throw error;
  }
}
