import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Papa from 'papaparse';
import { acceptInvitation } from '../browser.ts';
import { rowsOf, section } from '../comment.ts';
import type { Artifact } from '../forge.ts';
import { asWritten, type Finished, fileOf, type Lab, Project, rowOf, userList } from '../project.ts';
import type { SeedUser } from '../proxy.ts';

const TEAMS = ['platform', 'research', 'data science', 'support'];

const PEOPLE: readonly SeedUser[] = [
  { email: 'amy@example.com', role: 'proxy_admin', teams: ['platform'] },
  { email: 'ann@example.com', role: 'internal_user', teams: ['platform'], key: '' },
  { email: 'bob@example.com', role: 'internal_user', teams: ['research'], key: 'research' },
  { email: 'cid@example.com', role: 'internal_user_viewer', teams: ['support'] },
  { email: 'dan@example.com', role: 'internal_user', teams: ['data science', 'platform'] },
  { email: 'eve@example.com', role: 'internal_user', teams: [] },
  { email: 'fay@example.com', role: 'internal_user', teams: ['support'], key: '' },
  { email: 'gus@example.com', role: 'internal_user', teams: ['research'] },
  { email: 'hal@example.com', role: 'internal_user', teams: ['research'], key: '' },
  { email: 'ida@example.com', role: 'proxy_admin_viewer', teams: [] },
  { email: 'jon@example.com', role: 'internal_user', teams: ['platform'] },
  { email: 'Kim@Example.com', role: 'internal_user', teams: ['support'] },
];

const FIRST_ADDS = [
  ['lee@example.com', 'internal_user', 'platform', 'lee-laptop'],
  ['mia@example.com', 'internal_user_viewer', 'platform;data science', ''],
  ['noa@example.com', '', '-', ''],
];
const SECOND_ADD = ['oli@example.com', 'default', 'research', ''];

/** What the pull request makes of the list: bob moves, cid's role changes, dan leaves one of two, fay rises, hal goes. */
const EDITS: Readonly<Record<string, readonly string[] | null>> = {
  'bob@example.com': ['bob@example.com', 'internal_user', 'support', ''],
  'cid@example.com': ['cid@example.com', 'internal_user', '', ''],
  'dan@example.com': ['dan@example.com', '', 'platform', ''],
  'fay@example.com': ['fay@example.com', 'proxy_admin', 'support', ''],
  'hal@example.com': null,
  'Kim@Example.com': ['kim@example.com', 'default', '', ''],
};

function edited(): (readonly string[])[] {
  return PEOPLE.flatMap((person) => {
    const edit = EDITS[person.email];
    return edit === null ? [] : [edit ?? rowOf(person)];
  });
}

/** From a pull request to accounts that work: plan, second push, merge, results, links, and nothing left to do. */
export async function mainJob(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(TEAMS);
  await proxy.createUsers(PEOPLE);
  const project = await Project.create(lab, {
    name: 'main-job',
    csv: userList(PEOPLE.map(rowOf)),
    workflows: { 'sync.yml': asWritten },
  });
  const begun = await project.finished('push', project.start);
  checks.that('the first push finds nothing to do', begun.isGreen && begun.log.includes('No changes'), begun.log);

  const before = await proxy.picture();
  const { pull, planned } = await project.propose('summer', userList([...edited(), ...FIRST_ADDS]));
  checks.that('the plan succeeds with the key of a viewer', planned.isGreen, planned.log);
  const [first, ...others] = await project.comments(pull);
  checks.equal('one comment', others.length, 0);
  checkPlan(lab, first?.body ?? '');
  checks.contains(
    'the log has the plan',
    planned.log,
    'Users to add: 3',
    'Users to delete: 1',
    'Users to update: 4',
    'Users unchanged: 7',
    '+ lee@example.com',
    '- hal@example.com',
    '~ bob@example.com (Teams: research → support)',
  );

  const amended = await project.amend('summer', userList([...edited(), ...FIRST_ADDS, SECOND_ADD]));
  checks.that('the second push is planned', amended.isGreen, amended.log);
  const updated = await project.comments(pull);
  checks.equal(
    'the same comment is updated',
    updated.map(({ id }) => id),
    [first?.id],
  );
  checks.contains(
    'it shows the fourth user',
    updated[0]?.body ?? '',
    '**4 to add, 1 to delete, 4 to update**',
    'oli@example.com',
  );
  checks.equal('nothing was written so far', await proxy.picture(), before);

  const applied = await project.merge(pull);
  checks.that('the merge is applied', applied.isGreen, applied.log);
  await checkProxy(lab);
  const [result, ...more] = await project.comments(pull);
  checks.equal('the comment became the result', [result?.id, more.length], [first?.id, 0]);
  checks.contains(
    'the result has its counts',
    result?.body ?? '',
    '**4 added, 1 deleted, 4 updated**, 7 unchanged',
    '/actions/runs/',
  );
  checks.equal('the result lists whom it added', section(result?.body ?? '', 'Added').length, 4);
  checks.that(
    'nothing is left to approve',
    / digests= whole=( applied=\S+)? -->/.test(result?.body ?? ''),
    result?.body.slice(0, 200),
  );

  const artifacts = await project.artifacts(applied);
  const links = await checkArtifacts(lab, artifacts);
  const secrets = [
    proxy.masterKey,
    project.viewerKey,
    ...links.flatMap((row) => [row.api_key, row.invitation_id, row.onboarding_link]),
  ].filter((text) => text !== undefined && text !== '') as string[];
  checks.that('there are secrets to look for', secrets.length >= 2 + 4 * 3, `${secrets.length}`);
  checks.clean(
    'no secret in logs, comments and results',
    publicTexts(artifacts, [begun, planned, amended, applied], [first?.body, updated[0]?.body, result?.body]),
    secrets,
  );
  await checkKeys(lab, links);
  await checkInvitations(lab, links);

  const again = await project.runByHand('sync.yml');
  checks.that('run again by hand', again.isGreen && again.log.includes('No changes'), again.log);
  checks.equal(
    'no artifact of links from a run without new users',
    (await project.artifacts(again)).has('onboarding-links'),
    false,
  );
}

function checkPlan({ checks }: Lab, body: string): void {
  checks.that(
    'hidden marker with digests',
    /^<!-- litellm-user-sync:1 target=[0-9a-f]{16} digests=[\w+/=]{80,} whole= -->\n/.test(body),
    body.slice(0, 300),
  );
  checks.contains('counts', body, '**3 to add, 1 to delete, 4 to update**, 7 unchanged');
  checks.equal('the administrator on top', rowsOf(body)[0], {
    section: 'Administrators',
    cells: { Change: 'update', User: 'fay@example.com', Role: 'internal_user → proxy_admin', Teams: 'support' },
  });
  checks.equal('who goes, and what goes with them', section(body, 'Delete'), [
    'hal@example.com | internal_user | research | 1 key, $0.00 spend',
  ]);
  const updates = rowsOf(body)
    .filter((row) => row.section === 'Update')
    .map(({ cells }) => [cells.User, cells.Role, cells.Teams]);
  checks.equal('who changes', updates, [
    ['bob@example.com', 'internal_user', 'research → support'],
    ['cid@example.com', 'internal_user_viewer → internal_user', 'support'],
    ['dan@example.com', 'internal_user', 'data science, platform → platform (leaves data science)'],
  ]);
  const moved = rowsOf(body).find(({ cells }) => cells.User === 'bob@example.com' && cells.Cost !== undefined);
  checks.that(
    'the team key that moves along',
    /^key sk-\.\.\.[\w-]{4} moves with the user to support$/.test(moved?.cells.Cost ?? ''),
    moved,
  );
  checks.equal('who comes', section(body, 'Add'), [
    'lee@example.com | internal_user | platform | lee-laptop',
    'mia@example.com | internal_user_viewer | data science, platform | –',
    'noa@example.com | internal_user | - | –',
  ]);
}

async function checkProxy({ checks, proxy }: Lab): Promise<void> {
  const people = await proxy.people();
  const found = (email: string) => {
    const seen = people.get(email);
    return seen && [seen.role, seen.teams, seen.rosters];
  };
  const both = (role: string, ...teams: string[]) => [role, teams, teams];
  checks.equal('lee is there', found('lee@example.com'), both('internal_user', 'platform'));
  checks.equal(
    'mia is in two teams',
    found('mia@example.com'),
    both('internal_user_viewer', 'data science', 'platform'),
  );
  checks.equal('noa is in none', found('noa@example.com'), both('internal_user'));
  checks.equal('oli is in research', found('oli@example.com')?.slice(1), both('', 'research').slice(1));
  checks.equal('hal is gone', found('hal@example.com'), undefined);
  checks.equal('bob has moved', found('bob@example.com'), both('internal_user', 'support'));
  checks.equal('cid has another role', found('cid@example.com'), both('internal_user', 'support'));
  checks.equal('dan has left a team', found('dan@example.com'), both('internal_user', 'platform'));
  checks.equal('fay is an administrator', found('fay@example.com'), both('proxy_admin', 'support'));
  checks.equal('kim is who they were', found('Kim@Example.com'), both('internal_user', 'support'));
  checks.equal('nobody else came or went', people.size, PEOPLE.length - 1 + 4);
}

type LinkRow = Readonly<Record<string, string>>;

async function checkArtifacts({ checks }: Lab, artifacts: ReadonlyMap<string, Artifact>): Promise<LinkRow[]> {
  checks.equal('three artifacts', [...artifacts.keys()].sort(), [
    'onboarding-links',
    'user-sync-audit',
    'user-sync-results',
  ]);
  const results = Papa.parse<Record<string, string>>(
    fileOf(artifacts, 'user-sync-results', 'user_sync_result.csv').trim(),
    { header: true },
  );
  checks.equal('columns of the results', results.meta.fields, [
    'action',
    'email',
    'user_id',
    'role',
    'team_name',
    'api_keys',
    'status',
    'error_reason',
  ]);
  const counts = ['ADDED', 'DELETED', 'UPDATED'].map(
    (action) => results.data.filter((row) => row.action === action && row.status === 'SUCCESS').length,
  );
  checks.equal('results of 4 adds, 1 delete, 4 updates', counts, [4, 1, 4]);
  checks.that(
    'a key is shown by its end alone',
    results.data.every((row) => /^$|^sk-\.\.\.[\w-]{4}$/.test(row.api_keys ?? '')),
    results.data,
  );
  const links = Papa.parse<Record<string, string>>(
    fileOf(artifacts, 'onboarding-links', 'onboarding_links.csv').trim(),
    { header: true },
  );
  checks.equal('columns of the links', links.meta.fields, [
    'email',
    'user_id',
    'role',
    'team_name',
    'key_name',
    'api_key',
    'invitation_id',
    'expires_at',
    'onboarding_link',
  ]);
  checks.equal('a link for each new user', links.data.map(({ email }) => email).sort(), [
    'lee@example.com',
    'mia@example.com',
    'noa@example.com',
    'oli@example.com',
  ]);
  checks.that('nothing else is in the artifact of the links', artifacts.get('onboarding-links')?.size === 1);
  return links.data;
}

function publicTexts(
  artifacts: ReadonlyMap<string, Artifact>,
  runs: readonly Finished[],
  comments: readonly (string | undefined)[],
): Record<string, string> {
  const open = ['user-sync-results', 'user-sync-audit'].flatMap((name) => [...(artifacts.get(name) ?? [])]);
  const files = open.map(([name, bytes]) => [name, bytes.toString()]);
  const logs = runs.map(({ run, log }) => [`log of run ${run.id} (${run.event})`, log]);
  return Object.fromEntries([...files, ...logs, ...comments.map((body, index) => [`comment ${index}`, body ?? ''])]);
}

async function checkKeys({ checks, proxy }: Lab, links: readonly LinkRow[]): Promise<void> {
  const teams = await proxy.teamIds();
  for (const { email, user_id, api_key = '', key_name } of links) {
    const info = await proxy.keyInfo(api_key);
    const team = { 'lee@example.com': 'platform', 'oli@example.com': 'research' }[email ?? ''];
    checks.equal(
      `${email}'s key is of the right user, team and name`,
      [info.user_id, info.team_id, info.key_alias],
      [user_id, team === undefined ? null : teams.get(team), key_name === '' ? null : key_name],
    );
    checks.equal(`${email}'s key gets answers`, await proxy.chat(api_key), 'hello from the lab');
  }
  checks.that(
    "lee's key is named as the file says",
    links.some((row) => row.email === 'lee@example.com' && row.key_name === 'lee-laptop'),
    links.map((row) => row.key_name),
  );
}

async function checkInvitations({ checks, proxy, output }: Lab, links: readonly LinkRow[]): Promise<void> {
  for (const email of ['lee@example.com', 'noa@example.com']) {
    const link = links.find((row) => row.email === email)?.onboarding_link ?? '';
    const password = `Aa1!${randomBytes(12).toString('hex')}`;
    const seen = await acceptInvitation(link, password, join(output, `onboarding-${email.split('@')[0]}`));
    checks.equal(`${email} sees their own email behind the link`, seen.email, email);
    checks.that(
      `${email} may log in with the new password, and no other`,
      (await proxy.canLogIn(email, password)) && !(await proxy.canLogIn(email, `${password}?`)),
    );
  }
}
