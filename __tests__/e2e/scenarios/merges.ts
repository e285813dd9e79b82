import { section } from '../comment.ts';
import type { Pull } from '../forge.ts';
import { asWritten, type Finished, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd } from './people.ts';

type Row = readonly string[];

/** However a pull request comes into the branch: what its comment showed is applied, and nothing is left over. */
export async function merges(lab: Lab): Promise<void> {
  const { proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(10, 'platform');
  await proxy.createUsers(people);
  const project = await Project.create(lab, {
    name: 'merges',
    csv: userList(people.map(rowOf)),
    workflows: { 'sync.yml': asWritten },
  });
  await project.finished('push', project.start);
  let rows: readonly Row[] = people.map(rowOf);
  for (const style of ['squash', 'rebase'] as const) {
    rows = [...rows, newcomer(style)];
    const { pull } = await project.propose(style, userList(rows));
    const merged = await project.merge(pull, style);
    await checkApplied(lab, project, style, pull, merged);
  }
  await twoAtOnce(lab, project, rows);
  await reverted(lab, project);
  await edited(lab, project, rows);
}

function newcomer(name: string): Row {
  return [`${name}@example.com`, '', 'platform', ''];
}

async function checkApplied(lab: Lab, project: Project, name: string, pull: Pull, merged: Finished): Promise<void> {
  const { checks, proxy } = lab;
  checks.that(`${name}: green`, merged.isGreen, merged.log);
  checks.that(`${name}: applied`, (await proxy.people()).has(`${name}@example.com`), merged.log);
  const [result] = await project.comments(pull);
  checks.contains(`${name}: the comment became the result`, result?.body ?? '', '**1 added');
  checks.equal(`${name}: nothing was skipped`, section(result?.body ?? '', 'Not applied'), []);
}

/** The run of the first may find the newer file at the head of the branch: then the other's does the work of both. */
async function twoAtOnce(lab: Lab, project: Project, rows: readonly Row[]): Promise<void> {
  const { checks, forge, proxy } = lab;
  const top = await project.propose('top', userList([newcomer('top'), ...rows]));
  const bottom = await project.propose('bottom', userList([...rows, newcomer('bottom')]));
  await forge.merge(project.repository, top.pull.number);
  const last = await project.merge(bottom.pull);
  checks.that('two at once: green', last.isGreen, last.log);
  const after = await proxy.people();
  const areThere = after.has('top@example.com') && after.has('bottom@example.com');
  checks.that('two at once: both are applied', areThere, last.log);
  for (const { pull } of [top, bottom]) {
    const [result] = await project.comments(pull);
    checks.equal(`two at once: nothing of #${pull.number} was skipped`, section(result?.body ?? '', 'Not applied'), []);
  }
}

/** `git revert` on the branch itself names a merged pull request in its first line, and yet is part of none. */
async function reverted(lab: Lab, project: Project): Promise<void> {
  const { checks, forge, proxy } = lab;
  const sha = await forge.inClone(async (folder, git) => {
    git('clone', '-q', forge.remote(project.repository), folder);
    git('revert', '--no-edit', '-m', '1', 'HEAD');
    git('push', '-q', 'origin', 'HEAD:main');
    return git('rev-parse', 'HEAD');
  });
  const undone = await project.finished('push', sha);
  checks.that('revert: green', undone.isGreen, undone.log);
  checks.that('revert: undone', !(await proxy.people()).has('bottom@example.com'), undone.log);
}

/** Without its marker a comment approves nothing, whoever took it away. */
async function edited({ checks, forge, proxy }: Lab, project: Project, rows: readonly Row[]): Promise<void> {
  const { pull } = await project.propose('edited', userList([newcomer('top'), ...rows, newcomer('edited')]));
  const [comment] = await project.comments(pull);
  await forge.call('PATCH', `/repos/${project.repository}/issues/comments/${comment?.id}`, { body: 'Looks good' });
  const merged = await project.merge(pull);
  checks.that('edited comment: green', merged.isGreen, merged.log);
  checks.that('edited comment: not applied', !(await proxy.people()).has('edited@example.com'), merged.log);
  const why = `not reviewed: pull request #${pull.number} has no comment with a plan`;
  checks.contains('edited comment: says why, and the way', merged.log, why, 'workflow_dispatch');
}
