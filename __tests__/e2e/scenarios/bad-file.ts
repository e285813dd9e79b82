import { rowsOf } from '../comment.ts';
import { asWritten, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd } from './people.ts';

/** A file with mistakes of every kind: red, all of them at once by line, nothing written, before and after the merge. */
export async function badFile(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform', 'research']);
  const people = crowd(5, 'platform');
  await proxy.createUsers(people);
  const good = people.map(rowOf);
  const project = await Project.create(lab, {
    name: 'bad-file',
    csv: userList(good),
    workflows: { 'sync.yml': asWritten },
  });
  await project.finished('push', project.start);
  const before = await proxy.picture();

  const first = await project.propose(
    'good',
    userList([...good, ['new@example.com', 'internal_user', 'platform', '']]),
  );
  checks.that('a good version is planned', first.planned.isGreen, first.planned.log);
  const wrong = [
    ['not-an-email', 'internal_user', 'platform', ''],
    ['x@example.com', 'admin', 'platform', ''],
    ['y@example.com', 'internal_user', 'platfrom', ''],
    ['USER-001@example.com', 'internal_user', 'platform', ''],
  ];
  const bad = await project.amend('good', userList([...good, ...wrong]));
  checks.that('a bad version is red', !bad.isGreen);
  const [comment, ...others] = await project.comments(first.pull);
  checks.equal('still one comment', others.length, 0);
  const problems = rowsOf(comment?.body ?? '').map(({ cells }) => [cells.Line, cells.Column]);
  checks.equal('every problem by line and column', problems, [
    ['7', 'email'],
    ['8', 'role'],
    ['9', 'team_name'],
    ['10', 'email'],
  ]);
  checks.contains('with the way out', comment?.body ?? '', 'proxy_admin_viewer', 'platform', 'line 2');
  checks.that(
    'the old plan approves nothing any more',
    / digests= whole= -->/.test(comment?.body ?? ''),
    comment?.body,
  );
  checks.contains('all of them in the log', bad.log, 'user_list.csv:7:1', 'user_list.csv:8:2', 'user_list.csv:10:1');
  checks.that('annotations on the file', /::error [^\n]*file=user_list\.csv[^\n]*line=9/.test(bad.log), bad.log);

  const merged = await project.merge(first.pull);
  checks.that('merged all the same: red', !merged.isGreen);
  checks.equal('nothing was written', await proxy.picture(), before);
}
