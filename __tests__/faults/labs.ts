import { startStandin } from '../../src/demo/standin/server.ts';
import type { Version } from '../../src/demo/standin/versions.ts';
import type { Lab } from './scenario.ts';

/** Runs with a stand-in that nobody has used. */
export async function withStandin<R>(version: Version, use: (lab: Lab) => Promise<R>): Promise<R> {
  const standin = await startStandin({ version });
  try {
    return await use({ baseUrl: standin.baseUrl, masterKey: standin.masterKey, reset: async () => {} });
  } finally {
    await standin.close();
  }
}
