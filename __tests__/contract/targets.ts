import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startStandin } from '../../standin/server.ts';
import type { State } from '../../standin/state.ts';
import { VERSIONS, type Version } from '../../standin/versions.ts';
import { type Answer, Api } from './api.ts';
import { CONTRACT_VERSIONS } from './statements.ts';

export interface RunningTarget {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly masterKey: string;
  readonly version: Version;
  /** What the stand-in holds, to look into or to break; `null` on the real proxy. */
  readonly state: State | null;
  /** Deletes all teams, keys and users but `default_user_id`, and makes sure that they are gone. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export interface ContractTarget {
  readonly name: string;
  readonly version: Version;
  start(): Promise<RunningTarget>;
}

/** How long a test file may wait for its turn on the real proxy, in milliseconds: the timeout of its `beforeAll`. */
export const TURN_TIMEOUT = 20 * 60 * 1000;
/** How long the real proxy may take to become empty: less than the timeout of the hook that waits for it. */
const RESET_TIMEOUT = 45_000;

/** The real proxy's version: of LITELLM_VERSION (`1.106`), else asked for; `null` without a real proxy. */
const real = await findReal();

/**
 * A stand-in as each of the versions; or in their place the real proxy, where LITELLM_BASE_URL and LITELLM_MASTER_KEY are
 * set. It must be one whose users, teams and keys may be deleted. Test files run side by side, so each has the real proxy
 * to itself from `start` to `stop`.
 */
export function contractTargets(versions: readonly Version[] = CONTRACT_VERSIONS): ContractTarget[] {
  if (real === null) return versions.map(standinAs);
  return versions.includes(real.version) ? [real] : [];
}

/** The real proxy, if there is one. */
export function realTarget(): ContractTarget | null {
  return real;
}

/** A stand-in remembers used keys for a minute, as the real one does. */
function standinAs(version: Version): ContractTarget {
  const start = async (): Promise<RunningTarget> => {
    const { baseUrl, masterKey, state, close } = await startStandin({ version, cacheSeconds: 60 });
    const api = new Api(baseUrl, masterKey);
    await makeFirstTeam(api);
    return { baseUrl, masterKey, version, state, reset: () => empty(api), stop: close };
  };
  return { name: `the stand-in as ${version}`, version, start };
}

async function findReal(): Promise<ContractTarget | null> {
  const { LITELLM_BASE_URL: url, LITELLM_MASTER_KEY: masterKey, LITELLM_VERSION: named } = process.env;
  if (!url || !masterKey) return null;
  const baseUrl = url.replace(/\/+$/, '');
  const version = knownVersion(named || (await new Api(baseUrl, null).get('/openapi.json')).body.info.version);
  const start = () => startReal(baseUrl, masterKey, version);
  return { name: `the real proxy (${version})`, version, start };
}

/** The newest known version that is not above this one. */
function knownVersion(release: string): Version {
  const minor = Number(/^v?1\.(\d+)/.exec(release)?.[1]);
  const reached = VERSIONS.filter((version) => Number(version.split('.')[1]) <= minor);
  const version = reached.at(-1);
  if (version === undefined) throw new Error(`LiteLLM ${release} is none that these tests know.`);
  return version;
}

export async function startReal(baseUrl: string, masterKey: string, version: Version): Promise<RunningTarget> {
  const release = await takeTurn(baseUrl);
  const api = new Api(baseUrl, masterKey);
  let isFirst = true;
  const reset = async () => {
    await emptyInTime(baseUrl, api);
    if (isFirst) await makeFirstTeam(api);
    isFirst = false;
  };
  return { baseUrl, masterKey, version, state: null, reset, stop: async () => release() };
}

/** A proxy that cannot be emptied once fails all later tests of this run at once. */
async function emptyInTime(baseUrl: string, api: Api): Promise<void> {
  refuseBroken(baseUrl);
  const late = wait(RESET_TIMEOUT, null, { ref: false }).then(() => {
    throw new Error(`It took more than ${RESET_TIMEOUT / 1000} seconds.`);
  });
  try {
    await Promise.race([empty(api), late]);
  } catch (error) {
    writeFileSync(turnFile(baseUrl, 'broken'), `${process.pid}\n${error}`);
    throw error;
  }
}

/** As on any proxy in use: with its first team, the master key's user gets its row, without which it cannot invite. */
async function makeFirstTeam(api: Api): Promise<void> {
  const { body } = await api.get(`/user/list?user_ids=${NOBODY}`);
  if (body.total > 0) return;
  await api.makeTeam('first');
  await api.ok('/team/delete', { team_ids: ['first'] });
}

/** Throws what broke the proxy, if it broke in this process: its threads share files, but no variables. */
function refuseBroken(baseUrl: string): void {
  const file = turnFile(baseUrl, 'broken');
  if (!existsSync(file)) return;
  const [pid, ...reason] = readFileSync(file, 'utf8').split('\n');
  if (Number(pid) === process.pid) throw new Error(`The real proxy could not be emptied: ${reason.join('\n')}`);
}

function turnFile(baseUrl: string, kind: 'lock' | 'broken'): string {
  const name = createHash('sha256').update(baseUrl.replace(/\/+$/, '')).digest('hex').slice(0, 12);
  return join(tmpdir(), `litellm-contract-${name}.${kind}`);
}

/** Waits for a lock file of this proxy, with or without a slash at its end; one that its process left behind is taken over. */
export async function takeTurn(baseUrl: string): Promise<() => void> {
  const file = turnFile(baseUrl, 'lock');
  while (!created(file)) {
    refuseBroken(baseUrl);
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
    async () => (await read(api, '/team/list')).map((team: { team_id: string }) => team.team_id),
    (teamIds) => deleteTeams(api, teamIds),
  );
  await emptied(
    async () => (await read(api, '/key/list?size=100')).keys,
    (hashes) => api.ok('/key/delete', { keys: hashes }),
  );
  await emptied(
    () => someUserIds(api),
    (userIds) => deleteUsers(api, userIds),
  );
}

/** Of several teams, the older ones delete the members side by side and now and then trip over them: then one by one. */
async function deleteTeams(api: Api, teamIds: string[]): Promise<void> {
  const { status } = await api.post('/team/delete', { team_ids: teamIds });
  if (status === 200) return;
  for (const teamId of teamIds) await api.post('/team/delete', { team_ids: [teamId] });
}

async function read(api: Api, path: string): Promise<Answer['body']> {
  const { status, body } = await api.get(path);
  if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** In bulk, or as the older ones have it. */
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
  const page = (number: number) => read(api, `/user/list?sort_by=user_id&page_size=100&page=${number}`);
  const first = await page(1);
  const more = [2, 3, 4, 5].filter((number) => number <= first.total_pages);
  const answers = [first, ...(await Promise.all(more.map(page)))];
  const ids = answers.flatMap(({ users }) => users.map((user: { user_id: string }) => user.user_id));
  return ids.filter((id: string) => id !== NOBODY);
}
