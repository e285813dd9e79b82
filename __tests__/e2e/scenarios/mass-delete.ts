import { asWritten, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd } from './people.ts';

/** 30 of 100 gone from the file: red in the pull request already, and nothing of it is applied when merged all the same. */
export async function massDelete(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(100, 'platform');
  await proxy.createUsers(people);
  const project = await Project.create(lab, {
    name: 'mass-delete',
    csv: userList(people.map(rowOf)),
    workflows: { 'sync.yml': asWritten },
  });
  await project.finished('push', project.start);
  const before = await proxy.picture();

  const left = [...people.slice(30).map(rowOf), ['new@example.com', 'internal_user', 'platform', '']];
  const { pull, planned } = await project.propose('slip', userList(left));
  checks.that('red in the pull request', !planned.isGreen);
  const [comment] = await project.comments(pull);
  await lab.picture('refusal', comment?.body ?? '');
  const message = '30 of 100 managed users would be deleted';
  checks.contains('the comment gives numbers, limit and way out', comment?.body ?? '', message, '20%', '30');
  checks.contains('so does the log', planned.log, message, 'max-deletes: 30');
  checks.that('it approves nothing', / digests= whole= -->/.test(comment?.body ?? ''), comment?.body.slice(0, 200));

  const merged = await project.merge(pull);
  checks.that('merged all the same: red', !merged.isGreen);
  checks.equal('nothing was applied, the new user neither', await proxy.picture(), before);
  const byHand = await project.runByHand('sync.yml');
  checks.that('by hand: red as well', !byHand.isGreen && byHand.log.includes(message), byHand.log);
  checks.equal('nothing was applied by hand', await proxy.picture(), before);
}
