import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startStandin } from '../../standin/server.ts';
import type { State } from '../../standin/state.ts';
import { Api } from './api.ts';

export interface RunningTarget {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly masterKey: string;
  /** What the stand-in holds, to look into or to break; `null` on the real proxy. */
  readonly state: State | null;
  /** Deletes all teams, keys and users but `default_user_id`, and makes sure that they are gone. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export interface ContractTarget {
  readonly name: string;
  start(): Promise<RunningTarget>;
}

/** How long a test file may wait for its turn on the real proxy, in milliseconds: the timeout of its `beforeAll`. */
export const TURN_TIMEOUT = 20 * 60 * 1000;

/**
 * The stand-in always; and the real proxy where LITELLM_BASE_URL and LITELLM_MASTER_KEY are set. It must be one whose
 * users, teams and keys may be deleted. Test files run side by side, so each has the real proxy to itself from `start`
 * to `stop`.
 */
export function contractTargets(): ContractTarget[] {
  const { LITELLM_BASE_URL: baseUrl, LITELLM_MASTER_KEY: masterKey } = process.env;
  if (!baseUrl || !masterKey) return [standin];
  return [standin, { name: 'the real proxy', start: () => startReal(baseUrl.replace(/\/+$/, ''), masterKey) }];
}

const standin: ContractTarget = {
  name: 'the stand-in',
  start: async () => {
    const { baseUrl, masterKey, state, close } = await startStandin();
    return { baseUrl, masterKey, state, reset: () => empty(new Api(baseUrl, masterKey)), stop: close };
  },
};

async function startReal(baseUrl: string, masterKey: string): Promise<RunningTarget> {
  const release = await takeTurn(baseUrl);
  return {
    baseUrl,
    masterKey,
    state: null,
    reset: () => empty(new Api(baseUrl, masterKey)),
    stop: async () => release(),
  };
}

/** Waits for a lock file of this proxy, with or without a slash at its end; one that its process left behind is taken over. */
export async function takeTurn(baseUrl: string): Promise<() => void> {
  const name = createHash('sha256').update(baseUrl.replace(/\/+$/, '')).digest('hex').slice(0, 12);
  const file = join(tmpdir(), `litellm-contract-${name}.lock`);
  while (!created(file)) {
    if (isAbandoned(file)) rmSync(file, { force: true });
    await wait(200);
  }
  return () => rmSync(file, { force: true });
}

function created(file: string): boolean {
  try {
    const handle = openSync(file, 'wx');
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isAbandoned(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

const NOBODY = 'default_user_id';

async function empty(api: Api): Promise<void> {
  await emptied(
    async () =>
      (await api.get('/v2/team/list?page_size=100')).body.teams.map((team: { team_id: string }) => team.team_id),
    (teamIds) => api.ok('/team/delete', { team_ids: teamIds }),
  );
  await emptied(
    async () => (await api.get('/key/list?size=100')).body.keys,
    (hashes) => api.ok('/key/delete', { keys: hashes }),
  );
  await emptied(
    () => someUserIds(api),
    (userIds) => deleteUsers(api, userIds),
  );
}

/** In bulk, or as 1.75 has it. */
async function deleteUsers(api: Api, userIds: string[]): Promise<unknown> {
  const { status } = await api.post('/management/v1/users/bulk_delete', { user_ids: userIds });
  return status === 200 ? null : api.ok('/user/delete', { user_ids: userIds });
}

/** Deletes until a fresh look finds nothing. */
async function emptied(find: () => Promise<string[]>, remove: (ids: string[]) => Promise<unknown>): Promise<void> {
  let last = '';
  for (let ids = await find(); ids.length > 0; ids = await find()) {
    if (ids.join() === last) throw new Error(`The proxy keeps ${ids.length} rows that it claims to have deleted.`);
    last = ids.join();
    await remove(ids);
  }
}

/** Up to 500 ids: as many as one bulk delete takes. */
async function someUserIds(api: Api): Promise<string[]> {
  const pages = [1, 2, 3, 4, 5].map((page) => `/user/list?sort_by=user_id&page_size=100&page=${page}`);
  const answers = await Promise.all(pages.map((page) => api.get(page)));
  const ids = answers.flatMap(({ body }) => body.users.map((user: { user_id: string }) => user.user_id));
  return ids.filter((id: string) => id !== NOBODY);
}
