import { section } from '../comment.ts';
import type { Issue } from '../forge.ts';
import { asWritten, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd, user } from './people.ts';

/** The look at the proxy: green while file and proxy match, red and in one issue when they differ, and never a write. */
export async function drift(lab: Lab): Promise<void> {
  const { checks, forge, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(10, 'platform');
  await proxy.createUsers(people);
  const project = await Project.create(lab, {
    name: 'drift',
    csv: userList(people.map(rowOf)),
    workflows: { 'drift.yml': asWritten, 'sync.yml': asWritten },
  });
  await project.finished('push', project.start);
  const same = await project.runByHand('drift.yml');
  checks.that('no drift: green', same.isGreen && same.log.includes('No changes'), same.log);
  checks.equal('and no issue', await forge.issues(project.repository), []);

  await proxy.createUsers([user('stranger', 'internal_user', 'platform')]);
  await proxy.setRole('user-001@example.com', 'proxy_admin');
  const before = await proxy.picture();
  const drifted = await project.runByHand('drift.yml');
  checks.that('drift: red', !drifted.isGreen);
  const shown = ['- stranger@example.com', '~ user-001@example.com', 'has-changes=true'];
  checks.contains('the log shows it', drifted.log, ...shown);
  const [opened, ...others] = await forge.issues(project.repository);
  checks.equal('one issue', others.length, 0);
  await checkIssue(lab, opened);

  await proxy.deleteUser('user-010@example.com');
  const again = await project.runByHand('drift.yml');
  checks.that('still red', !again.isGreen);
  const [updated, ...more] = await forge.issues(project.repository);
  checks.equal('the same issue', [updated?.number, updated?.state, more.length], [opened?.number, 'open', 0]);
  checks.contains('brought up to date', updated?.body ?? '', 'user-010@example.com', '1 only in the file');
  const after = before.replace(/,?\s*\[\s*"user-010@example\.com"[\s\S]*?\}\s*\]/, '');
  checks.equal('nothing was written', await proxy.picture(), after);

  const applied = await project.runByHand('sync.yml');
  checks.that('the file is applied by hand', applied.isGreen, applied.log);
  const last = await project.runByHand('drift.yml');
  checks.that('no drift any more: green', last.isGreen, last.log);
  const [closed] = await forge.issues(project.repository);
  checks.equal('the issue is closed', [closed?.number, closed?.state], [opened?.number, 'closed']);
  const words = await forge.comments(project.repository, opened?.number ?? 0);
  checks.contains('with a word', words.map(({ body }) => body).join('\n'), 'match again');
}

async function checkIssue(lab: Lab, issue: Issue | undefined): Promise<void> {
  const { checks } = lab;
  const body = issue?.body ?? '';
  await lab.picture('drift', body);
  checks.contains('its title says what it is about', issue?.title ?? '', 'user_list.csv', 'differ');
  checks.contains('in words of its own', body, '1 only on the proxy, 1 different', 'Two ways out', 'export');
  checks.equal('the administrator on top', section(body, 'Administrators').length, 1);
  checks.contains('who is only on the proxy', section(body, 'Only').join(), 'stranger@example.com');
  checks.that('it approves nothing', !/digests=\S/.test(body), body.slice(0, 200));
}

/** The schedule's own event, every minute. */
export async function schedule(lab: Lab): Promise<void> {
  const { checks, forge, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(5, 'platform');
  await proxy.createUsers(people);
  const before = await proxy.picture();
  const everyMinute = (text: string) => text.replace(/cron: .*/, "cron: '* * * * *'").replace(/ *dry-run: true\n/, '');
  const project = await Project.create(lab, {
    name: 'schedule',
    csv: userList([...people.map(rowOf), ['new@example.com', '', 'platform', '']]),
    workflows: { 'drift.yml': everyMinute },
  });
  const run = await project.finished('schedule');
  const [issue] = await forge.issues(project.repository);
  await forge.call('DELETE', `/repos/${project.repository}`);
  checks.that(
    'a schedule plans, by itself',
    run.log.includes('DRY RUN') && run.log.includes('+ new@example.com'),
    run.log,
  );
  checks.that('and is red, as there is drift', !run.isGreen);
  checks.contains('it opened the issue', issue?.body ?? '', 'new@example.com');
  checks.equal('nothing was written', await proxy.picture(), before);
}
