import Papa from 'papaparse';
import { asWritten, fileOf, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd } from './people.ts';

const rows = (csv: string) => Papa.parse<Record<string, string>>(csv.trim(), { header: true }).data;

/** The commands that a person starts, by the workflows of the examples. */
export async function byHand(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(3, 'platform');
  await proxy.createUsers(people);
  const project = await Project.create(lab, {
    name: 'by-hand',
    csv: userList(people.map(rowOf)),
    workflows: { 'add.yml': asWritten, 'onboard.yml': asWritten, 'list.yml': asWritten, 'delete.yml': asWritten },
    files: {
      'user_addlist.csv': userList([
        ['new@example.com', 'internal_user', 'platform', 'new-key'],
        ['USER-001@example.com', 'internal_user', 'platform', ''],
      ]),
      'users.csv': 'user_email,team_name\nuser-002@example.com,platform\n',
      'user_dellist.csv': 'email\nnew@example.com\nnobody@example.com\n',
    },
  });
  const before = await proxy.picture();
  const dry = await project.runByHand('add.yml');
  checks.that('add: a dry run unless told otherwise', dry.isGreen && dry.log.includes('+ new@example.com'), dry.log);
  checks.equal('add: nothing was written', await proxy.picture(), before);

  const added = await project.runByHand('add.yml', { 'dry-run': 'false' });
  checks.that('add', added.isGreen, added.log);
  const artifacts = await project.artifacts(added);
  const [secret] = rows(fileOf(artifacts, 'onboarding-links', 'user_reg_result.csv'));
  checks.equal('add: whom it created', secret?.email, 'new@example.com');
  checks.equal('add: the key works', await proxy.chat(secret?.api_keys ?? ''), 'hello from the lab');
  const errors = fileOf(artifacts, 'user-sync-results', 'user_reg_error.csv');
  checks.contains('add: who is there already', errors, 'User already exists in the system');

  const onboarded = await project.runByHand('onboard.yml', { 'dry-run': 'false' });
  checks.that('onboard', onboarded.isGreen, onboarded.log);
  const [link] = rows(fileOf(await project.artifacts(onboarded), 'onboarding-links', 'onboarding_links.csv'));
  checks.that(
    'onboard: a link for somebody who is there',
    link?.email === 'user-002@example.com' && link.onboarding_link !== '',
  );

  const listed = await project.runByHand('list.yml');
  checks.that('list', listed.isGreen && listed.log.includes('user-002@example.com'), listed.log);

  const deleted = await project.runByHand('delete.yml', { 'dry-run': 'false' });
  checks.that('delete', deleted.isGreen, deleted.log);
  const after = await proxy.people();
  checks.equal(
    'delete: they alone are gone',
    [...after.keys()],
    people.map(({ email }) => email),
  );
  const texts = { added: added.log, onboarded: onboarded.log, listed: listed.log, deleted: deleted.log, errors };
  const secrets = [secret?.api_keys, secret?.invitation_url, link?.invitation_id, proxy.masterKey, project.viewerKey];
  checks.clean(
    'no secret in logs and results',
    texts,
    secrets.map((text) => text ?? ''),
  );
}
