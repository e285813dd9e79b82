import { asWritten, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd, user } from './people.ts';

/** The scheduled look: green while file and proxy match, red when they differ, and never a write. */
export async function drift(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(5, 'platform');
  await proxy.createUsers(people);
  const project = await Project.create(lab, {
    name: 'drift',
    csv: userList(people.map(rowOf)),
    workflows: { 'drift.yml': asWritten },
  });
  const same = await project.runByHand('drift.yml');
  checks.that('no drift: green', same.isGreen && same.log.includes('No changes'), same.log);
  await proxy.createUsers([user('stranger', 'internal_user', 'platform')]);
  await proxy.setRole('user-001@example.com', 'proxy_admin');
  const before = await proxy.picture();
  const drifted = await project.runByHand('drift.yml');
  checks.that('drift: red', !drifted.isGreen);
  checks.contains(
    'the log shows it',
    drifted.log,
    '- stranger@example.com',
    '~ user-001@example.com',
    'has-changes=true',
  );
  checks.equal('nothing was written', await proxy.picture(), before);
}

/** The schedule's own event, every minute. */
export async function schedule(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
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
  await lab.forge.call('DELETE', `/repos/${project.repository}`);
  checks.that(
    'a schedule plans, by itself',
    run.log.includes('DRY RUN') && run.log.includes('+ new@example.com'),
    run.log,
  );
  checks.that('and is red, as there is drift', !run.isGreen);
  checks.equal('nothing was written', await proxy.picture(), before);
}
