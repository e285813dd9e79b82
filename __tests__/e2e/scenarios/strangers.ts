import { asWritten, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd } from './people.ts';

/** A pull request from a fork gets no secrets: its file is checked on its own, and that is all. */
export async function fork(lab: Lab): Promise<void> {
  const { checks, forge, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(5, 'platform');
  await proxy.createUsers(people);
  const rows = people.map(rowOf);
  const project = await Project.create(lab, {
    name: 'fork',
    csv: userList(rows),
    workflows: { 'sync.yml': asWritten },
  });
  await project.finished('push', project.start);
  const before = await proxy.picture();
  const name = `stranger-${Date.now().toString(36)}`;
  const stranger = await forge.createUser(name);
  await forge.call('PUT', `/repos/${project.repository}/collaborators/${name}`, { permission: 'read' });
  const copy = `${name}/${project.repository.split('/')[1]}`;
  await stranger.call('POST', `/repos/${project.repository}/forks`, {});

  const good = await stranger.commit(
    copy,
    'mine',
    'user_list.csv',
    userList([...rows, ['me@example.com', 'proxy_admin', '', '']]),
    true,
  );
  const pull = await stranger.openPull(project.repository, `${name}:mine`, 'Mine');
  await forge.approve(project.repository, (await forge.appeared(project.repository, 'pull_request', good)).id);
  const planned = await project.finished('pull_request', good);
  checks.that('a well-formed file is green', planned.isGreen, planned.log);
  checks.contains('and the log says why there is no plan', planned.log, 'There is no plan', 'fork');
  checks.equal('no comment', (await project.comments(pull)).length, 0);
  const bad = await stranger.commit(copy, 'mine', 'user_list.csv', userList([...rows, ['me', 'root', '', '']]));
  // No approval here: somebody who was approved once is trusted with the next run.
  const checked = await project.finished('pull_request', bad);
  checks.that('a bad one is red', !checked.isGreen && checked.log.includes('user_list.csv:7:1'), checked.log);
  checks.equal('nothing was written', await proxy.picture(), before);
}

/** The event that would hand the repository's secrets to a stranger. */
export async function pullRequestTarget(lab: Lab): Promise<void> {
  const { checks, forge, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(5, 'platform');
  await proxy.createUsers(people);
  const unsafe = (text: string) =>
    text.replace('pull_request:', 'pull_request_target:').replace("== 'pull_request'", "== 'pull_request_target'");
  const project = await Project.create(lab, {
    name: 'target',
    csv: userList(people.map(rowOf)),
    workflows: { 'sync.yml': unsafe },
  });
  await project.finished('push', project.start);
  const before = await proxy.picture();
  await forge.commit(
    project.repository,
    'more',
    'user_list.csv',
    userList([...people.map(rowOf), ['new@example.com', '', '', '']]),
    true,
  );
  const pull = await forge.openPull(project.repository, 'more', 'More');
  const run = await project.finished('pull_request_target');
  checks.that('refused', !run.isGreen && /'pull_request_target'.*never served/.test(run.log), run.log);
  checks.equal('no comment', (await project.comments(pull)).length, 0);
  checks.equal('nothing was written', await proxy.picture(), before);
}
