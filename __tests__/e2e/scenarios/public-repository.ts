import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { asWritten, fileOf, type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd, user } from './people.ts';

const PEOPLE = [user('amanda', 'proxy_admin'), ...crowd(5, 'platform')];
const WANTED = [...PEOPLE.map(rowOf), ['newcomer@example.com', 'internal_user', 'platform', '']];

/** Everybody may read it: no secret leaves it in the clear, no email is shown. */
export async function publicRepository(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform']);
  await proxy.createUsers(PEOPLE);
  const project = await Project.create(lab, {
    name: 'public',
    csv: userList(PEOPLE.map(rowOf)),
    workflows: { 'sync.yml': asWritten },
    visibility: 'public',
  });
  await project.finished('push', project.start);
  const before = await proxy.picture();
  const { pull, planned } = await project.propose('newcomer', userList(WANTED));
  checks.that('red in the pull request already', !planned.isGreen, planned.log);
  const [plan] = await project.comments(pull);
  checks.contains('the comment masks emails', plan?.body ?? '', 'n***@example.com');
  checks.contains(
    'and says what would stop the merge',
    plan?.body ?? '',
    'A merge could not apply this plan',
    'encrypt-to',
  );
  const merged = await project.merge(pull);
  checks.that('refused on merge', !merged.isGreen);
  checks.contains('with the way out', merged.log, 'This repository is public', 'encrypt-to');
  checks.equal('before anything was written', await proxy.picture(), before);
  const [after] = await project.comments(pull);
  const texts = {
    plan: plan?.body ?? '',
    after: after?.body ?? '',
    'log of the plan': planned.log,
    'log of the merge': merged.log,
  };
  checks.clean('no email in comments and logs', texts, [
    'newcomer@example.com',
    'amanda@example.com',
    'user-001@example.com',
  ]);
}

/** With recipients: the same repository applies, and the links can be opened by their holder alone. */
export async function encrypted(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform']);
  await proxy.createUsers(PEOPLE);
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  const withRecipient = (text: string) =>
    text
      .replace('age1-the-public-key-of-the-first-person', recipient)
      .replace(/\n *age1-the-public-key-of-the-second-person/, '');
  const project = await Project.create(lab, {
    name: 'encrypted',
    csv: userList(PEOPLE.map(rowOf)),
    workflows: { 'encrypted.yml': withRecipient },
    visibility: 'public',
  });
  await project.finished('push', project.start);
  const { pull } = await project.propose('newcomer', userList(WANTED));
  const merged = await project.merge(pull);
  checks.that('applied', merged.isGreen, merged.log);
  const artifacts = await project.artifacts(merged);
  const files = artifacts.get('onboarding-links');
  checks.equal(
    'the links are uploaded encrypted, and nothing beside them',
    [...(files?.keys() ?? [])],
    ['onboarding_links.csv.age'],
  );
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const file = files?.get('onboarding_links.csv.age') ?? Buffer.alloc(0);
  const opened = await decrypter.decrypt(file, 'text');
  const row = opened.split('\n')[1]?.split(',') ?? [];
  checks.equal('whose holder can open them', row[0], 'newcomer@example.com');
  checks.equal('and the key works', await proxy.chat(row[5] ?? ''), 'hello from the lab');
  const results = fileOf(artifacts, 'user-sync-results', 'user_sync_result.csv');
  checks.contains('the results mask emails', results, 'n***@example.com');
  const texts = { results, log: merged.log, plan: fileOf(artifacts, 'user-sync-results', 'plan.json') };
  checks.clean('nobody else sees email, key or link', texts, ['newcomer@example.com', row[5] ?? '', row[6] ?? '']);
}

/** The placeholders of the example, left as they are. */
export async function placeholderRecipient(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform']);
  await proxy.createUsers(PEOPLE);
  const before = await proxy.picture();
  const project = await Project.create(lab, {
    name: 'placeholder',
    csv: userList(WANTED),
    workflows: { 'encrypted.yml': asWritten },
  });
  const begun = await project.finished('push', project.start);
  checks.that('refused', !begun.isGreen && begun.log.includes('allowed: age recipients'), begun.log);
  checks.equal('before anything was written', await proxy.picture(), before);
}
