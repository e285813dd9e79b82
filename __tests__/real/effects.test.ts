import { expect, test } from 'vitest';
import { type ChangeJson, Job, type PlanJson } from './job.ts';
import { afterwards, look, type People, settled } from './people.ts';
import { chat, type Lab, onRealProxy } from './suite.ts';

const TEAMS = ['red', 'blue', 'green'];

/** With what no run of ours may ever touch. */
const METADATA = { note: 'theirs', nested: { list: [1, { deep: 'ü' }] }, password: 'theirs' };

/** The plan's changes by the part of the email before the `@`. */
function byName({ changes }: PlanJson): Record<string, ChangeJson> {
  return Object.fromEntries(changes.map((change) => [change.email.split('@')[0], change]));
}

function fatesOf(change: ChangeJson | undefined): string[] {
  return (change?.cost.team_keys ?? []).map(({ alias, fate, to }) => `${alias} ${fate} ${to?.team_id ?? '-'}`).sort();
}

/** What the proxy must hold after this plan, but for those whom it adds. */
async function expectAsPlanned(
  { api }: Lab,
  before: People,
  plan: PlanJson,
  added: readonly string[] = [],
): Promise<void> {
  const now = await look(api, TEAMS);
  for (const [userId, user] of Object.entries(now.users)) {
    if (!added.includes(user.user_email)) continue;
    delete now.users[userId];
    for (const [alias, key] of Object.entries(now.keys)) if (key.user_id === userId) delete now.keys[alias];
    for (const roster of Object.values(now.rosters)) delete roster[userId];
  }
  expect(settled(now)).toEqual(settled(afterwards(before, plan)));
}

const NO_CHANGES = { add: 0, delete: 0, deactivate: 0, update: 0, reactivate: 0 };

onRealProxy("a plan's words and what then happens", (proxy, is) => {
  const keys = new Map<string, string>();

  async function makeUser(userId: string, rest: object, spend = 1.25): Promise<void> {
    await proxy().api.makeUser(userId, { user_role: 'internal_user', metadata: METADATA, ...rest });
    await proxy().api.ok('/user/update', { user_id: userId, spend });
  }

  async function makeKey(alias: string, user_id: string, team_id: string | null, rest: object = {}): Promise<void> {
    const body = {
      key_alias: alias,
      user_id,
      spend: 0.5,
      metadata: METADATA,
      ...(team_id === null ? {} : { team_id }),
    };
    keys.set(alias, (await proxy().api.ok('/key/generate', { ...body, ...rest })).key);
  }

  async function makeTeams(): Promise<void> {
    for (const id of TEAMS) await proxy().api.makeTeam(id);
  }

  test('everything at once happens as it was planned, and nothing else', async () => {
    await makeTeams();
    const budget = { max_budget: 500, budget_duration: '7d' };
    await makeUser('gone', { teams: ['red'] }, 3);
    await makeUser('viewer', budget);
    await makeUser('demoted', { user_role: 'proxy_admin', ...budget });
    await makeUser('promoted', budget);
    await makeUser('old', { teams: ['red'], ...budget });
    await makeUser('mover', { teams: ['red'] }, 48.1);
    await makeUser('splits', { teams: ['red'] });
    await makeUser('out', { teams: ['red', 'blue'] });
    await makeUser('grows', { teams: ['red'] });
    await makeUser('richer', {});
    await makeUser('changed', { ...budget, tpm_limit: 100, rpm_limit: 10, models: ['fake-model'] });
    await makeUser('cleared', { ...budget, tpm_limit: 100, rpm_limit: 10, models: ['fake-model'] });
    await makeUser('stays', { teams: ['red'], ...budget });
    await makeUser('admin', { user_role: 'proxy_admin' });
    await makeUser('guarded', { teams: ['red'] });
    await makeUser('budgeted', {});
    await proxy().api.ok('/team/member_add', {
      team_id: 'red',
      member: { user_id: 'budgeted', role: 'user' },
      max_budget_in_team: 3,
    });
    await makeKey('gone-1', 'gone', 'red');
    await makeKey('gone-2', 'gone', null);
    await makeKey('mover-1', 'mover', 'red', { max_budget: 5, budget_duration: '7d', tpm_limit: 70, duration: '90d' });
    await makeKey('mover-2', 'mover', 'red', { models: ['fake-model'] });
    await makeKey('mover-own', 'mover', null);
    await makeKey('splits-1', 'splits', 'red');
    await makeKey('out-1', 'out', 'blue');
    await makeKey('stays-1', 'stays', 'red');
    await makeKey('guarded-1', 'guarded', 'red');
    await makeKey('old-1', 'old', 'red');

    const clears = is.othersCleared ? '-,-,-,-' : is.budgetCleared ? '-,,,' : ',,,';
    const job = new Job(proxy().target);
    job.write(`email,role,team_name,key_name,previous_email,max_budget,budget_duration,tpm_limit,rpm_limit,models
new@example.com,internal_user_viewer,blue,new-key,,7.5,30d,1000,5,fake-model
viewer@example.com,internal_user_viewer,,,,,,,,
demoted@example.com,internal_user,,,,,,,,
promoted@example.com,proxy_admin,,,,,,,,
renamed@example.com,,,,old@example.com,,,,,
mover@example.com,,blue,,,,,,,
splits@example.com,,blue;green,,,,,,,
out@example.com,,-,,,,,,,
grows@example.com,,red;green,,,,,,,
richer@example.com,,,,,33.333333,30d,1000,0,fake-model
changed@example.com,,,,,200,30d,2000,20,all-proxy-models
cleared@example.com,,,,,${clears},all-proxy-models
stays@example.com,internal_user,red,,,500,7d,,,
admin@example.com,proxy_admin,,,,,,,,
budgeted@example.com,,blue,,,,,,,
`);
    const inputs = { 'max-deletes': '100%', 'protected-users': 'guarded@example.com' };
    const before = await look(proxy().api, TEAMS);
    const plan = await job.plan(inputs);
    expect(await look(proxy().api, TEAMS)).toEqual(before);
    const of = byName(plan);
    const stay = is.leavingDeletesKeys ? 'deleted' : 'survives';
    expect(of.gone?.cost).toEqual({ keys: 2, spend: 3 });
    expect(fatesOf(of.mover)).toEqual(['mover-1 moves blue', 'mover-2 moves blue']);
    expect(of.mover?.spend).toBe(48.1);
    expect(fatesOf(of.splits)).toEqual([`splits-1 ${stay} -`]);
    expect(fatesOf(of.out)).toEqual([`out-1 ${stay} -`]);
    expect(of.budgeted?.cost.losses).toMatchObject([{ team: { team_id: 'red' }, what: 'own budget in the team' }]);
    expect(of.changed?.limits).toEqual({
      max_budget: { from: 500, to: 200 },
      budget_duration: { from: '7d', to: '30d' },
      tpm_limit: { from: 100, to: 2000 },
      rpm_limit: { from: 10, to: 20 },
      models: { from: ['fake-model'], to: ['all-proxy-models'] },
    });
    expect(Object.keys(of.cleared?.limits ?? {})).toHaveLength(is.othersCleared ? 5 : is.budgetCleared ? 2 : 1);
    expect(of.renamed?.previous_email).toBe('old@example.com');
    expect(Object.keys(of).sort()).not.toContain('stays');
    expect(Object.keys(of).sort()).not.toContain('guarded');

    await job.apply(inputs);
    await expectAsPlanned(proxy(), before, plan, ['new@example.com']);
    const now = await look(proxy().api, TEAMS);
    const added = Object.values(now.users).find((user) => user.user_email === 'new@example.com');
    expect(added).toMatchObject({
      user_role: 'internal_user_viewer',
      teams: ['blue'],
      max_budget: 7.5,
      tpm_limit: 1000,
    });
    expect(now.keys['new-key']).toMatchObject({ user_id: added?.user_id, team_id: 'blue', tpm_limit: null });
    for (const alias of ['mover-1', 'mover-2', 'mover-own', 'stays-1', 'guarded-1', 'old-1']) {
      expect([alias, await chat(proxy(), keys.get(alias))]).toEqual([alias, 200]);
    }
    for (const alias of ['gone-1', 'gone-2']) {
      expect([alias, await chat(proxy(), keys.get(alias))]).toEqual([alias, 401]);
    }
    expect(await chat(proxy(), keys.get('splits-1'))).toBe(is.leavingDeletesKeys ? 401 : 200);
    expect((await job.plan(inputs)).summary).toMatchObject(NO_CHANGES);
  });

  test('team-keys: delete deletes what it says, whether or not leaving does', async () => {
    await makeTeams();
    await makeUser('mover', { teams: ['red'] });
    await makeUser('other', { teams: ['red'] });
    await makeKey('mover-1', 'mover', 'red');
    await makeKey('mover-own', 'mover', null);
    await makeKey('other-1', 'other', 'red');
    const job = new Job(proxy().target);
    job.write('email,team_name\nmover@example.com,blue\nother@example.com,red\n');
    const before = await look(proxy().api, TEAMS);
    const plan = await job.plan({ 'team-keys': 'delete' });
    expect(fatesOf(byName(plan).mover)).toEqual(['mover-1 deleted -']);
    await job.apply({ 'team-keys': 'delete' });
    await expectAsPlanned(proxy(), before, plan);
    expect(await chat(proxy(), keys.get('mover-1'))).toBe(401);
    expect(await chat(proxy(), keys.get('mover-own'))).toBe(200);
    expect((await job.plan({ 'team-keys': 'delete' })).summary).toMatchObject(NO_CHANGES);
  });

  test('a key that the new team cannot take keeps its owner in both, and fails the row alone', async () => {
    await makeTeams();
    await proxy().api.ok('/team/update', { team_id: 'blue', models: ['another'] });
    await makeUser('mover', { teams: ['red'] });
    await makeKey('mover-1', 'mover', 'red', { models: ['fake-model'] });
    const job = new Job(proxy().target);
    job.write('email,team_name\nmover@example.com,blue\n');
    const run = await job.action({ 'dry-run': 'false' });
    expect(run.code).toBe(1);
    const now = await look(proxy().api, TEAMS);
    expect(now.users.mover.teams).toEqual(['blue', 'red']);
    expect(now.keys['mover-1'].team_id).toBe('red');
    expect(await chat(proxy(), keys.get('mover-1'))).toBe(200);
  });

  test('half a membership in user.teams is mended, and no key is touched', async ({ skip }) => {
    skip(is.deletingIsAtomic, 'this version leaves no such half');
    await makeTeams();
    await makeUser('half', { teams: ['red'] });
    await makeKey('half-1', 'half', 'red');
    expect(await proxy().api.post('/user/delete', { user_ids: ['half', 'nobody'] })).toMatchObject({ status: 404 });
    const before = await look(proxy().api, TEAMS);
    expect([before.users.half.teams, before.rosters.red]).toEqual([['red'], {}]);
    const job = new Job(proxy().target);
    job.write('email,team_name\nhalf@example.com,red\n');
    const plan = await job.plan();
    expect(fatesOf(byName(plan).half)).toEqual([]);
    await job.apply();
    await expectAsPlanned(proxy(), before, plan);
    expect(await chat(proxy(), keys.get('half-1'))).toBe(200);
    expect((await job.plan()).summary).toMatchObject(NO_CHANGES);

    job.write('email,team_name\nhalf@example.com,blue\n');
    // Up to 1.90 joining has written the team into the record twice, leaving takes one of the two away, and no route the
    // other: the row says so, and the key is in the new team.
    const left = await job.action({ 'dry-run': 'false' });
    expect(left.code).toBe(is.leavingMendsUserTeams ? 0 : 1);
    if (!is.leavingMendsUserTeams) expect(left.stdout).toContain('has no way to mend that');
    const moved = await look(proxy().api, TEAMS);
    expect([moved.rosters, moved.keys['half-1'].team_id]).toEqual([
      { red: {}, blue: { half: 'user' }, green: {} },
      'blue',
    ]);
    expect(moved.users.half.teams).toEqual(is.leavingMendsUserTeams ? ['blue'] : ['blue', 'red']);
    expect(await chat(proxy(), keys.get('half-1'))).toBe(200);
  });

  test('deactivated and back: no key works, then all do; refused where keys would go on', async () => {
    await makeTeams();
    await makeUser('off', { teams: ['red'], max_budget: 9 }, 4);
    await makeUser('stays', { teams: ['red'] });
    await makeKey('off-team', 'off', 'red');
    await makeKey('off-own', 'off', null);
    await makeKey('stays-1', 'stays', 'red');
    const aliases = ['off-team', 'off-own'];
    const statuses = () => Promise.all(aliases.map((alias) => chat(proxy(), keys.get(alias))));
    expect(await statuses()).toEqual([200, 200]);
    const job = new Job(proxy().target);
    const inputs = { 'max-deletes': '100%', 'on-missing': 'deactivate' };
    job.write('email\nstays@example.com\n');
    const before = await look(proxy().api, TEAMS);
    if (is.minor < 90) {
      for (const dryRun of ['true', 'false']) {
        const run = await job.action({ ...inputs, 'dry-run': dryRun });
        expect(run.code).not.toBe(0);
        expect(run.stdout).toContain('on-missing: deactivate needs LiteLLM 1.90 or newer');
      }
      expect(withoutSpend(await look(proxy().api, TEAMS))).toEqual(withoutSpend(before));
      return;
    }
    const plan = await job.plan(inputs);
    expect(byName(plan).off).toMatchObject({ action: 'deactivate', cost: { keys: 2 } });
    await job.apply(inputs);
    const off = await look(proxy().api, TEAMS);
    expect(withoutSpend(settled(off))).toEqual(withoutSpend(settled(afterwards(before, plan))));
    expect(off.users.off.metadata).toMatchObject(METADATA);
    expect(await statuses()).toEqual([401, 401]);
    expect(await chat(proxy(), keys.get('stays-1'))).toBe(200);
    expect((await job.plan(inputs)).summary).toMatchObject(NO_CHANGES);

    job.write('email\nstays@example.com\noff@example.com\n');
    const back = await job.plan();
    expect(byName(back).off).toMatchObject({ action: 'update', reactivates: true });
    await job.apply();
    expect(withoutSpend(settled(await look(proxy().api, TEAMS)))).toEqual(withoutSpend(settled(afterwards(off, back))));
    expect(await statuses()).toEqual([200, 200]);
    expect((await job.plan()).summary).toMatchObject(NO_CHANGES);
  });

  test('what this version cannot clear is a problem of the row in the plan already', async ({ skip }) => {
    skip(is.othersCleared, 'this version clears all');
    await makeUser('limited', { max_budget: 5, budget_duration: '7d', tpm_limit: 10, rpm_limit: 1 });
    const before = await look(proxy().api, []);
    const job = new Job(proxy().target);
    const columns = is.budgetCleared
      ? ['budget_duration', 'tpm_limit', 'rpm_limit']
      : ['max_budget', 'budget_duration', 'tpm_limit', 'rpm_limit'];
    for (const column of columns) {
      job.write(`email,${column}\nlimited@example.com,-\n`);
      const run = await job.action({ 'dry-run': 'true' });
      expect(run.code).not.toBe(0);
      expect(run.commands.find(({ name }) => name === 'error')?.message).toContain(column);
    }
    expect(await look(proxy().api, [])).toEqual(before);
  });
});

/** Calls of the model are counted some seconds later: what they spend is none of the plan's. */
function withoutSpend({ users, keys, rosters }: People): People {
  const without = (rows: People['users']) =>
    Object.fromEntries(Object.entries(rows).map(([name, { spend: _, ...rest }]) => [name, rest]));
  return { users: without(users), keys: without(keys), rosters };
}
