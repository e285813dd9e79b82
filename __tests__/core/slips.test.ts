import { describe, expect, it } from 'vitest';
import { isEmail } from '../../src/core/desired.ts';
import { measure } from '../../src/core/limits.ts';
import { type DeleteChange, isStopped } from '../../src/core/plan.ts';
import { teamDirectory } from '../../src/core/teams.ts';
import { inventory, planOf, team, user } from './build.ts';

const deletes = (count: number): DeleteChange[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'delete',
    line: null,
    email: `u${index}@x.io`,
    userId: `u${index}`,
    role: null,
    teams: [],
    keyCount: 0,
    spend: 0,
    active: true,
    expired: null,
    withheld: null,
  }));

describe('a share of the managed users', () => {
  const over = (percent: number, managed: number, count: number): boolean =>
    measure(deletes(count), { managed, admins: 0 }, { maxDeletes: { kind: 'percent', percent }, minAdmins: 0 }).breaches
      .length > 0;

  it.each([
    [20, 11, 3],
    [20, 10, 2],
    [0, 11, 0],
    [100, 11, 11],
    [0.1, 11, 1],
    [1.1, 3000, 33],
  ])('%d%% of %d is %d at most, rounded up', (percent, managed, most) => {
    expect(over(percent, managed, most)).toBe(false);
    expect(over(percent, managed, most + 1)).toBe(true);
  });
});

describe('a list of deletes that breaks max-deletes', () => {
  it('is told to shrink, not to grow', () => {
    const limits = { maxDeletes: { kind: 'count', count: 1 }, minAdmins: 0, listsDeletes: true } as const;
    const [breach] = measure(deletes(2), { managed: 5, admins: 0 }, limits).breaches;
    expect(breach?.message).toContain('take rows out of the file');
    // The command `delete` has no such input.
    expect(breach?.message).not.toContain('no-delete');
  });
});

describe('a fresh link', () => {
  it('counts for no limit', () => {
    const invite = {
      kind: 'invite',
      email: 'a@x.io',
      userId: 'a',
      role: 'proxy_admin',
      teams: [],
      withheld: null,
    } as const;
    const limits = { maxDeletes: { kind: 'count', count: 0 }, minAdmins: 1 } as const;
    expect(measure([invite], { managed: 1, admins: 1 }, limits)).toEqual({ changes: [invite], breaches: [] });
    expect(isStopped({ breaches: [] })).toBe(false);
  });
});

describe('protected users', () => {
  const have = inventory([user('ann'), user('bob'), user('cat')]);
  it.each([
    ['{ann,bob}@x.io', 2],
    ['[ab]*', 2],
    ['???', 3],
    ['ANN@*', 1],
    ['!ann@x.io', 0],
    ['ann', 1],
    ['an', 0],
  ])('%s', (glob, count) => {
    expect(planOf('email\nnew@x.io\n', have, { protectedUsers: [glob] }).plan.unmanaged.protected).toBe(count);
  });
});

describe('the team that was meant', () => {
  const teams = [team('t-blank', [], ''), team('t-pad', [], ' padded '), team('t-dev', [], 'development')];
  const message = (written: string): string => {
    const found = teamDirectory(teams).find(written);
    return found.found ? '' : found.message;
  };

  it('is suggested by a name that can be written', () => {
    expect(message('develpment')).toContain('Did you mean `development`?');
  });

  it('is never one whose name means nothing in the file', () => {
    expect(message('a')).not.toMatch(/`{2}|` padded `/);
    expect(message('padded')).toContain('` padded `, which is written by its id here: `t-pad`.');
    expect(message('padded')).not.toContain('Did you mean');
  });
});

it.each(['a\u200b@x.io', 'a@x\u00ad.io', '\ufeffa@x.io', 'a@x.io\u202e'])(
  '%j holds what nobody sees: no email',
  (text) => {
    expect(isEmail(text)).toBe(false);
  },
);
