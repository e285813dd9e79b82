import { section } from '../comment.ts';
import type { Pull } from '../forge.ts';
import { fileOf, type Lab, Project } from '../project.ts';
import { crowd } from './people.ts';

const HEADER = 'email,role,team_name,key_name,max_budget,budget_duration,previous_email';
const CROWD = crowd(8, 'platform').map(({ email }) => `${email},internal_user,platform,,,,`);
const LEAVER = 'leaver@example.com,internal_user,platform,,,,';

const BEFORE = [
  ...CROWD,
  'before@example.com,internal_user,platform,,,,',
  'rich@example.com,internal_user,platform,,50,30d,',
  'mover@example.com,internal_user,platform,,,,',
  'chief@example.com,internal_user,platform,,,,',
  LEAVER,
];

/** A rename, a rise, a move with two keys, a promotion, a newcomer; the leaver's row is gone. */
const AFTER = [
  ...CROWD,
  'after@example.com,internal_user,platform,,,,before@example.com',
  'rich@example.com,internal_user,platform,,200,30d,',
  'mover@example.com,internal_user,research,,,,',
  'chief@example.com,proxy_admin,platform,,,,',
  'newcomer@example.com,internal_user,platform,newcomer-key,25,7d,',
];

const listOf = (rows: readonly string[]) => `${[HEADER, ...rows].join('\n')}\n`;
const deactivating = (text: string) => text.replaceAll(/^( *)master-key: .*$/gm, '$&\n$1on-missing: deactivate');

/** The keys of {@link seed}, as their holders have them. */
interface Keys {
  readonly laptop: string;
  readonly server: string;
  readonly renamed: string;
  readonly leaver: string;
}

/** Accounts that outlive their changes: no merge costs anybody a key that the reviewer did not give up. */
export async function life(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  const keys = await seed(lab);
  const before = await proxy.people();
  const project = await Project.create(lab, {
    name: 'life',
    csv: listOf(BEFORE),
    workflows: { 'sync.yml': deactivating },
  });
  const begun = await project.finished('push', project.start);
  checks.that('the first push finds nothing to do', begun.isGreen && begun.log.includes('No changes'), begun.log);

  const { pull, planned } = await project.propose('everything', listOf(AFTER));
  checks.that('planned', planned.isGreen, planned.log);
  await checkPlan(lab, project, pull);
  checks.that('nothing was written yet', (await proxy.people()).has('before@example.com'));

  const merged = await project.merge(pull);
  checks.that('applied', merged.isGreen, merged.log);
  const after = await proxy.people();
  checks.equal(
    'the same account by its new email',
    idOf(after, 'after@example.com'),
    idOf(before, 'before@example.com'),
  );
  checks.equal('the old email is gone', after.has('before@example.com'), false);
  checks.equal('its key answers', await proxy.answers(keys.renamed), true);
  checks.equal('the budget has risen', await proxy.budgetOf('rich@example.com'), [200, '30d']);
  checks.equal('the user has moved', after.get('mover@example.com')?.rosters, ['research']);
  const research = (await proxy.teamIds()).get('research');
  for (const name of ['laptop', 'server'] as const) {
    checks.equal(`the key ${name} has moved`, (await proxy.keyInfo(keys[name])).team_id, research);
    checks.equal(`the key ${name} answers`, await proxy.answers(keys[name]), true);
  }
  checks.that('the leaver has kept account and team', after.get('leaver@example.com')?.rosters[0] === 'platform');
  checks.equal("the leaver's key answers no more", await proxy.answers(keys.leaver), false);
  checks.equal('the newcomer has their budget', await proxy.budgetOf('newcomer@example.com'), [25, '7d']);
  await checkResult(lab, project, pull);
  const csv = fileOf(await project.artifacts(merged), 'user-sync-results', 'user_sync_result.csv');
  checks.that('the result file says DEACTIVATED', /^DEACTIVATED,leaver@example\.com,.*,SUCCESS,/m.test(csv), csv);
  await comeBack(lab, project, keys);
}

async function seed({ proxy }: Lab): Promise<Keys> {
  await proxy.createTeams(['platform', 'research']);
  const names = ['before', 'rich', 'mover', 'chief', 'leaver'];
  const others = names.map((name) => ({ ...crowd(1, 'platform')[0], email: `${name}@example.com` }));
  await proxy.createUsers([...crowd(8, 'platform'), ...others.map((one) => ({ role: '', teams: [], ...one }))]);
  await proxy.setUser('rich@example.com', { max_budget: 50, budget_duration: '30d' });
  const keys = {
    laptop: await proxy.createKey('mover@example.com', 'platform', 'laptop'),
    server: await proxy.createKey('mover@example.com', 'platform', 'server'),
    renamed: await proxy.createKey('before@example.com', null, 'renamed'),
    leaver: await proxy.createKey('leaver@example.com', 'platform', 'leaver'),
  };
  // A key in use is in the proxy's cache: it has to stop answering all the same.
  for (const key of Object.values(keys)) await proxy.answers(key);
  return keys;
}

function idOf(people: ReadonlyMap<string, { readonly userId: string }>, email: string): string {
  return people.get(email)?.userId ?? 'nobody';
}

async function checkPlan(lab: Lab, project: Project, pull: Pull): Promise<void> {
  const { checks } = lab;
  const [comment, ...others] = await project.comments(pull);
  const body = comment?.body ?? '';
  checks.equal('one comment', others.length, 0);
  await lab.picture('plan-everything', body);
  checks.contains('counts', body, '**1 to add, 1 to deactivate, 4 to update**, 8 unchanged');
  checks.equal('the administrator on top', section(body, 'Administrators').length, 1);
  checks.equal('the leaver, and what it costs them', section(body, 'Deactivate'), [
    'leaver@example.com | internal_user | platform | 1 key stops working',
  ]);
  const updates = section(body, 'Update');
  checks.equal('one row a user', updates.length, 3);
  const row = (part: string) => updates.find((text) => text.includes(part)) ?? '';
  checks.contains('the rename, from → to', row('after@'), 'before@example.com → after@example.com');
  checks.contains('the rise, from → to, and what was spent', row('rich@'), '$50.00/30d → $200.00/30d', 'spent $0.00');
  checks.contains(
    'the move, from → to, with its keys',
    row('mover@'),
    'platform → research',
    'laptop',
    'server',
    'move',
  );
  checks.contains('the newcomer with their limit', section(body, 'Add').join(), 'newcomer@example.com', '$25.00/7d');
}

async function checkResult(lab: Lab, project: Project, pull: Pull): Promise<void> {
  const [comment] = await project.comments(pull);
  const body = comment?.body ?? '';
  await lab.picture('result', body);
  lab.checks.contains(
    'the comment became the result, from → to',
    body,
    '**1 added, 1 deactivated, 4 updated**, 8 unchanged',
    'before@example.com',
    '$200.00/30d',
    'Onboarding links open until',
  );
}

/** The leaver's row is there again; meanwhile somebody has made a user whom the file does not know. */
async function comeBack(lab: Lab, project: Project, keys: Keys): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createUsers([{ email: 'stranger@example.com', role: 'internal_user', teams: ['platform'] }]);
  const { pull, planned } = await project.propose('back', listOf([...AFTER, LEAVER]));
  checks.that('their return is planned', planned.isGreen, planned.log);
  const [comment] = await project.comments(pull);
  const body = comment?.body ?? '';
  await lab.picture('plan-earlier', body);
  checks.contains('as a reactivation', body, '**1 to reactivate**, 1 change that was due before this pull request');
  checks.equal('of one user', section(body, 'Reactivate').length, 1);
  const [own = '', earlier = ''] = body.split('## Already different before this pull request');
  checks.that(
    'the stranger stands apart',
    !own.includes('stranger@example.com') && earlier.includes('stranger@example.com'),
    body,
  );
  const merged = await project.merge(pull);
  checks.that('applied', merged.isGreen, merged.log);
  checks.equal('the key of the leaver answers again', await proxy.answers(keys.leaver), true);
  const [result] = await project.comments(pull);
  checks.contains('the result says so', result?.body ?? '', '1 reactivated');
}
