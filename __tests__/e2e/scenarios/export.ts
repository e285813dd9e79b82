import { asWritten, fileOf, type Lab, Project, userList } from '../project.ts';
import { crowd, user } from './people.ts';

/** How a team starts: the file that the export makes of the proxy plans to no change. */
export async function exported(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform', 'data science', 'a;b', '-', 'twin', 'twin']);
  const people = [
    user('amy', 'proxy_admin', 'platform', 'data science'),
    user('ben', 'internal_user', 'a;b'),
    user('cat', 'internal_user_viewer', '-', 'twin'),
    user('dan', 'internal_user'),
    ...crowd(120, 'platform'),
  ];
  await proxy.createUsers(people);
  const project = await Project.create(lab, {
    name: 'export',
    csv: userList([]),
    workflows: { 'export.yml': asWritten, 'sync.yml': (text) => text.replace('branches: [main]', 'branches: [other]') },
  });
  const before = await proxy.picture();
  const run = await project.runByHand('export.yml');
  checks.that('exported', run.isGreen, run.log);
  const file = fileOf(await project.artifacts(run), 'user-sync-results', 'user_list.csv');
  checks.equal('everybody is in it', file.trim().split('\n').length, people.length + 1);
  const { pull, planned } = await project.propose('start', file);
  checks.that('it plans to no change', planned.isGreen && planned.log.includes('No changes'), planned.log);
  const comments = await project.comments(pull);
  checks.equal('one comment', comments.length, 1);
  checks.contains('it says so', comments[0]?.body ?? '', '**No changes.**', `${people.length} users unchanged`);
  checks.equal('nothing was written', await proxy.picture(), before);
}
