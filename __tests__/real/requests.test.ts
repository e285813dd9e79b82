import { expect, onTestFinished, test } from 'vitest';
import { startStandin } from '../../standin/server.ts';
import { PLAYS_ALL } from '../faults/batch.ts';
import { Job } from './job.ts';

const [DIFFERING, SAME] = PLAYS_ALL ? [2000, 500] : [400, 100];

/** Writes are counted at a stand-in: the real proxy would take half a minute for so many. */
test.each(['1.75', '1.106'] as const)(
  `%s: limits of ${DIFFERING} users take one write each, and none for others`,
  async (version) => {
    const ids = Array.from({ length: DIFFERING + SAME }, (_, index) => `u${String(index).padStart(4, '0')}`);
    const users = ids.map((userId) => ({ userId, email: `${userId}@example.com`, role: 'internal_user', limits: {} }));
    const standin = await startStandin({ version, seed: { users } });
    onTestFinished(() => standin.close());
    const job = new Job(standin);
    const rows = ids.map(
      (id, index) => `${id}@example.com,${index < DIFFERING ? '25,30d,1000,10,fake-model' : ',,,,'}`,
    );
    job.write(`email,max_budget,budget_duration,tpm_limit,rpm_limit,models\n${rows.join('\n')}\n`);
    const { code, stderr } = await job.cli(['sync']);
    expect(code, stderr.slice(-2000)).toBe(0);
    const writes = standin.requests.filter(({ method }) => method !== 'GET');
    expect(new Set(writes.map(({ path }) => path))).toEqual(new Set(['/user/update']));
    expect(writes).toHaveLength(DIFFERING);
    const again = await job.cli(['sync', '--dry-run', '--detailed-exitcode']);
    expect(again.code, again.stdout).toBe(0);
  },
  60_000,
);
