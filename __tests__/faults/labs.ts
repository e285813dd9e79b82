import { startStandin } from '../../standin/server.ts';
import type { Version } from '../../standin/versions.ts';
import { Api } from '../contract/api.ts';
import { realTarget } from '../contract/targets.ts';
import type { Lab } from './scenario.ts';
import { snapshot } from './snapshot.ts';

/** Runs with a stand-in that nobody has used. */
export async function withStandin<R>(version: Version, use: (lab: Lab) => Promise<R>): Promise<R> {
  const standin = await startStandin({ version });
  try {
    return await use({ baseUrl: standin.baseUrl, masterKey: standin.masterKey, version, reset: async () => {} });
  } finally {
    await standin.close();
  }
}

/** Runs with the real proxy that the environment names, once it is free; `null` where it names none. */
export async function withRealProxy<R>(use: (lab: Lab) => Promise<R>): Promise<R | null> {
  const real = realTarget();
  if (real === null) return null;
  const { baseUrl, masterKey, version, reset, stop } = await real.start();
  try {
    await reset();
    return await use({ baseUrl, masterKey, version, reset: () => empty(new Api(baseUrl, masterKey)) });
  } finally {
    await stop();
  }
}

/** Keeps the teams: to make them takes longer than all else. */
async function empty(api: Api): Promise<void> {
  const { users, keys } = await snapshot(api);
  if (users.size > 0) await api.ok('/user/delete', { user_ids: [...users.keys()] });
  const left = keys.filter((key) => key.userId === null || !users.has(key.userId)).map((key) => key.hash);
  if (left.length > 0) await api.ok('/key/delete', { keys: left });
}
