import { section } from '../comment.ts';
import { type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd } from './people.ts';

/** Several proxies by a matrix: each target has its own comment. (Here both are one proxy, so nothing is merged.) */
export async function targets(lab: Lab): Promise<void> {
  const { checks, forge, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(5, 'platform');
  await proxy.createUsers(people);
  const rows = people.map(rowOf);
  const project = await Project.create(lab, {
    name: 'targets',
    csv: userList(rows),
    workflows: { 'matrix.yml': (text) => text },
    files: { 'staging/user_list.csv': userList(rows), 'production/user_list.csv': userList(rows) },
  });
  const added = userList([...rows, ['new@example.com', '', 'platform', '']]);
  await forge.commit(project.repository, 'both', 'staging/user_list.csv', added, true);
  await forge.commit(project.repository, 'both', 'production/user_list.csv', userList(rows.slice(1)));
  const pull = await forge.openPull(project.repository, 'both', 'Both');
  const run = await project.finished('pull_request', pull.head.sha);
  checks.that('planned', run.isGreen, run.log);
  const bodies = (await project.comments(pull)).map(({ body }) => body).sort();
  checks.equal('a comment for each target', bodies.length, 2);
  const of = (target: string) => bodies.find((body) => body.includes(`for \`${target}\``)) ?? '';
  checks.equal('staging adds', section(of('staging'), 'Add').length, 1);
  checks.equal('production deletes', section(of('production'), 'Delete').length, 1);
}
