import { section } from '../comment.ts';
import { asWritten, fileOf, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd, user } from './people.ts';

/** What was reviewed happens, and nothing else: somebody creates and deletes users between review and merge. */
export async function approval(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform', 'research']);
  const people = crowd(10, 'platform');
  await proxy.createUsers(people);
  const project = await Project.create(lab, {
    name: 'approval',
    csv: userList(people.map(rowOf)),
    workflows: { 'sync.yml': asWritten },
  });
  await project.finished('push', project.start);
  const wanted = [
    ...people.slice(2).map(rowOf),
    ['user-002@example.com', '', 'research', ''],
    ['new@example.com', 'internal_user', 'platform', ''],
  ];
  const { pull, planned } = await project.propose('reviewed', userList(wanted));
  checks.that('planned', planned.isGreen, planned.log);

  await proxy.deleteUser('user-010@example.com');
  await proxy.createUsers([user('stranger', 'internal_user', 'platform')]);
  const merged = await project.merge(pull);
  checks.that('the merge is green', merged.isGreen, merged.log);
  const people1 = await proxy.people();
  checks.that('the reviewed user is added', people1.has('new@example.com'));
  checks.that('the reviewed delete is done', !people1.has('user-001@example.com'));
  checks.equal('the reviewed move is done', people1.get('user-002@example.com')?.teams, ['research']);
  checks.that('the stranger is not deleted', people1.has('stranger@example.com'));
  checks.that('who was deleted meanwhile is not made again', !people1.has('user-010@example.com'));
  const [result] = await project.comments(pull);
  const skipped = section(result?.body ?? '', 'Not applied').map((row) => row.split(' | ').slice(0, 2));
  checks.equal('the comment lists both as not applied', skipped.sort(), [
    ['add', 'user-010@example.com'],
    ['delete', 'stranger@example.com'],
  ]);
  checks.contains('and names the way', result?.body ?? '', 'not reviewed', 'workflow_dispatch');
  const csv = fileOf(await project.artifacts(merged), 'user-sync-results', 'user_sync_result.csv');
  const rows = csv.split('\n').filter((line) => line.includes('SKIPPED'));
  checks.that('so does the result file', rows.length === 2 && rows.every((row) => row.includes('not reviewed')), csv);
  checks.that(
    'a warning in the log',
    /::warning[^\n]*2 changes of this plan were not reviewed/.test(merged.log),
    merged.log,
  );
  checks.contains('the log lists the stranger', merged.log, 'SKIPPED DELETED stranger@example.com: not reviewed');

  const byHand = await project.runByHand('sync.yml');
  checks.that('by hand everything is applied', byHand.isGreen, byHand.log);
  const people2 = await proxy.people();
  checks.that('the stranger goes', !people2.has('stranger@example.com'));
  checks.that('the deleted user is back', people2.has('user-010@example.com'));
}
