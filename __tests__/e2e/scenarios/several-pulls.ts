import { section } from '../comment.ts';
import { asWritten, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd } from './people.ts';

/** Two pull requests that one push brings to the default branch, as a merge queue does: the reviews of both count. */
export async function severalPulls(lab: Lab): Promise<void> {
  const { checks, forge, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(10, 'platform');
  await proxy.createUsers(people);
  const rows = people.map(rowOf);
  const project = await Project.create(lab, {
    name: 'several',
    csv: userList(rows),
    workflows: { 'sync.yml': asWritten },
  });
  await project.finished('push', project.start);
  await forge.call('PATCH', `/repos/${project.repository}`, { allow_manual_merge: true, has_pull_requests: true });
  const top = await project.propose('top', userList([['new@example.com', '', 'platform', ''], ...rows]));
  const bottom = await project.propose('bottom', userList(rows.slice(0, -1)));
  checks.that('both are planned', top.planned.isGreen && bottom.planned.isGreen);

  const after = await forge.inClone(async (folder, git) => {
    git('clone', '-q', forge.remote(project.repository), folder);
    const merges = [top, bottom].map(({ pull }, index) => {
      git('merge', '-q', '--no-ff', '-m', `Merge #${pull.number}`, `origin/${index === 0 ? 'top' : 'bottom'}`);
      return git('rev-parse', 'HEAD');
    });
    git('push', '-q', 'origin', 'HEAD:main');
    for (const [index, { pull }] of [top, bottom].entries()) {
      const done = { Do: 'manually-merged', MergeCommitID: merges[index] };
      await forge.call('POST', `/repos/${project.repository}/pulls/${pull.number}/merge`, done);
    }
    return merges[1];
  });
  const applied = await project.finished('push', after);
  checks.that('the push is applied', applied.isGreen, applied.log);
  const people1 = await proxy.people();
  checks.that('the change of the one is made', people1.has('new@example.com'));
  checks.that('the change of the other is made', !people1.has('user-010@example.com'));
  for (const { pull } of [top, bottom]) {
    const [result] = await project.comments(pull);
    checks.contains(`the comment of #${pull.number} became the result`, result?.body ?? '', '**1 added, 1 deleted**');
    checks.equal(`nothing was skipped in #${pull.number}`, section(result?.body ?? '', 'Not applied'), []);
  }
}

/** The run of a commit whose file is no longer at the head of the branch: the newer run has the say. */
export async function superseded(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(10, 'platform');
  await proxy.createUsers(people);
  const rows = people.map(rowOf);
  const project = await Project.create(lab, {
    name: 'superseded',
    csv: userList(rows),
    workflows: { 'sync.yml': asWritten },
  });
  await project.finished('push', project.start);
  const added = userList([...rows, ['new@example.com', '', 'platform', '']]);
  const first = await project.propose('add', added);
  const merged = await project.merge(first.pull);
  const second = await project.propose('remove', userList(rows));
  checks.that('added, then removed', merged.isGreen && (await project.merge(second.pull)).isGreen);
  const before = await proxy.picture();
  checks.that('removed', !before.includes('new@example.com'));
  const again = await project.repeat(merged);
  checks.that('the old run, started again, is green', again.isGreen, again.log);
  checks.contains('and says why it writes nothing', again.log, 'A newer user_list.csv is at the head of the branch');
  checks.equal('nothing was written', await proxy.picture(), before);
}
