import { section } from '../comment.ts';
import { asWritten, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd, user } from './people.ts';

/** An administrator who was demoted on the proxy is not promoted again by what was reviewed long ago. */
export async function demoted(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = [
    user('amy', 'proxy_admin', 'platform'),
    ...crowd(5, 'platform'),
    user('pat', 'internal_user', 'platform'),
  ];
  await proxy.createUsers(people);
  const others = people.slice(0, -1).map(rowOf);
  const project = await Project.create(lab, {
    name: 'demoted',
    csv: userList(people.map(rowOf)),
    workflows: { 'sync.yml': asWritten },
  });
  await project.finished('push', project.start);
  const promoted = [...others, ['pat@example.com', 'proxy_admin', 'platform', '']];
  const first = await project.propose('promote-pat', userList(promoted));
  const [plan] = await project.comments(first.pull);
  checks.equal('shown among the administrators', section(plan?.body ?? '', 'Administrators').length, 1);
  const applied = await project.merge(first.pull);
  checks.that('applied', applied.isGreen, applied.log);
  checks.equal('promoted', (await proxy.people()).get('pat@example.com')?.role, 'proxy_admin');

  const second = await project.propose('add-quin', userList([...promoted, ['quin@example.com', '', 'platform', '']]));
  checks.that('a second pull request is planned', second.planned.isGreen, second.planned.log);
  await proxy.setRole('pat@example.com', 'internal_user');
  const merged = await project.merge(second.pull);
  checks.that('its merge is green', merged.isGreen, merged.log);
  const after = await proxy.people();
  checks.that('what it showed is applied', after.has('quin@example.com'));
  checks.equal('pat stays demoted', after.get('pat@example.com')?.role, 'internal_user');
  const [result] = await project.comments(second.pull);
  checks.that(
    'and is listed as not reviewed',
    section(result?.body ?? '', 'Not applied').some(
      (row) => row.includes('pat@example.com') && row.includes('not reviewed'),
    ),
    result?.body,
  );
}
