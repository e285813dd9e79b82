import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Papa from 'papaparse';
import { decoded, type Inbox, PASSWORD, withServer } from '../../mail/servers.ts';
import { acceptInvitation } from '../browser.ts';
import type { Artifact } from '../forge.ts';
import { asWritten, fileOf, type Lab, Project, type ProjectOptions, rowOf, userList } from '../project.ts';
import { crowd } from './people.ts';

const PEOPLE = crowd(10, 'platform');
const NEW = ['nell@example.com', 'nick@example.com', 'nora@example.com'] as const;
const WANTED = userList([...PEOPLE.map(rowOf), ...NEW.map((email) => [email, '', 'platform', ''])]);
const TEMPLATE = 'Welcome, {{email}}!\n\nUntil {{expires_at}}:\n\n{{link}}\n\n{{team_name}} at {{proxy_url}}\n';

async function create(lab: Lab, inbox: Inbox, options: Partial<ProjectOptions>): Promise<Project> {
  const { proxy } = lab;
  await proxy.createTeams(['platform']);
  await proxy.createUsers(PEOPLE);
  return Project.create(lab, {
    name: 'mail',
    csv: userList(PEOPLE.map(rowOf)),
    workflows: { 'mail.yml': asWritten },
    files: { '.github/welcome.txt': TEMPLATE },
    secrets: { SMTP_URL: `smtp://robot:${encodeURIComponent(PASSWORD)}@127.0.0.1:${inbox.port}` },
    ...options,
  });
}

const LINK = /https?:\S*invitation_id=[\w-]+\S*/g;

/** Receivers to the links of their mails. */
function linksOf({ mails }: Inbox): Map<string, string[]> {
  return new Map(mails.map(({ to, text }) => [to.join(), decoded(text).match(LINK) ?? []]));
}

function invitationIn(link: string): string {
  return new URL(link).searchParams.get('invitation_id') ?? '';
}

/** The merge sends each new user their own link, the artifact holds keys alone, the record says whose pull request it was. */
export function mail(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  return withServer({ authOptional: false }, async (inbox) => {
    const withKeys = (text: string) => text.replaceAll(/ *api-keys: false\n/g, '');
    const project = await create(lab, inbox, { workflows: { 'mail.yml': withKeys } });
    await project.finished('push', project.start);
    const { pull, planned } = await project.propose('newcomers', WANTED);
    checks.that('planned, without the password of the mail server', planned.isGreen, planned.log);
    checks.equal('no mail goes out before the merge', inbox.mails.length, 0);
    const merged = await project.merge(pull);
    checks.that('applied', merged.isGreen, merged.log);

    const links = linksOf(inbox);
    checks.equal('one mail each', inbox.mails.map(({ to }) => to.join()).sort(), [...NEW]);
    const people = await proxy.people();
    for (const email of NEW) {
      const [link = '', ...others] = links.get(email) ?? [];
      checks.equal(`${email} has one link`, others.length, 0);
      const invitation = await proxy.invitation(invitationIn(link));
      checks.equal(`${email}'s link is their own`, invitation?.user_id, people.get(email)?.userId);
    }
    await checkOpens(lab, NEW[0], links.get(NEW[0])?.[0] ?? '');
    const artifacts = await project.artifacts(merged);
    const rows = linkRows(artifacts);
    checks.equal(
      'the artifact says delivered in the place of each link',
      rows.map((row) => [row.email, row.invitation_id, row.onboarding_link, row.delivery?.slice(0, 9)]).sort(),
      NEW.map((email) => [email, 'delivered', 'delivered', 'sent (250']),
    );
    for (const { email, api_key } of rows)
      checks.equal(`${email}'s key answers`, await proxy.answers(api_key ?? ''), true);
    checkRecord(lab, fileOf(artifacts, 'user-sync-audit', 'audit.jsonl'), pull.number);

    const [result] = await project.comments(pull);
    const keys = rows.map((row) => row.api_key ?? '');
    const sent = [...links.values()].flat();
    const ids = sent.map(invitationIn);
    checks.clean('no key in any mail', { mails: inbox.mails.map(({ text }) => decoded(text)).join('\n') }, keys);
    const texts = { ...allOf(artifacts, ['user-sync-results', 'user-sync-audit']), comment: result?.body ?? '' };
    const logs = { planned: planned.log, merged: merged.log };
    checks.clean('no key, link or password in log, comment, results, record', { ...texts, ...logs }, [
      ...keys,
      ...sent,
      ...ids,
      PASSWORD,
    ]);
    checks.clean('no link in the artifact of secrets', allOf(artifacts, ['onboarding-links']), [...sent, ...ids]);
  });
}

/** A public repository without recipients: nothing secret is uploaded, and a link that did not arrive is revoked. */
export function mailPublic(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  const refused = Object.assign(new Error('No such mailbox'), { responseCode: 550 });
  const onRcptTo = ({ address }: { address: string }, _: unknown, done: (error?: Error) => void) =>
    done(address === NEW[1] ? refused : undefined);
  return withServer({ authOptional: false, onRcptTo }, async (inbox) => {
    const project = await create(lab, inbox, { name: 'mail-public', visibility: 'public' });
    await project.finished('push', project.start);
    const { pull, planned } = await project.propose('newcomers', WANTED);
    checks.that('planned: nothing secret would be uploaded', planned.isGreen, planned.log);
    const merged = await project.merge(pull);
    checks.that('red, as one mail was refused', !merged.isGreen, merged.log);
    checks.equal('the others have theirs', [...linksOf(inbox).keys()].sort(), [NEW[0], NEW[2]]);
    const userId = (await proxy.people()).get(NEW[1])?.userId ?? '';
    checks.that('also whose mail was refused', userId !== '');
    const artifacts = await project.artifacts(merged);
    checks.equal('no artifact of secrets', [...artifacts.keys()].sort(), ['user-sync-audit', 'user-sync-results']);
    const csv = fileOf(artifacts, 'user-sync-results', 'user_sync_result.csv');
    const row = csv.split('\n').find((line) => line.includes('FAILED')) ?? '';
    checks.contains('their row says what happened, and the way out', row, '550', 'onboard');
    const [result] = await project.comments(pull);
    checks.contains('so does the comment', result?.body ?? '', '**1 failed**', '550');
    const sent = [...linksOf(inbox).values()].flat();
    const texts = { ...allOf(artifacts, [...artifacts.keys()]), comment: result?.body ?? '', log: merged.log };
    checks.clean('nobody else sees link or email', texts, [...sent, ...sent.map(invitationIn), ...NEW, PASSWORD]);
  });
}

/** As it stands in the mail, behind all that a mail does to long lines. */
async function checkOpens({ checks, proxy, output }: Lab, email: string, link: string): Promise<void> {
  const password = `Aa1!${randomBytes(12).toString('hex')}`;
  const seen = await acceptInvitation(link, password, join(output, 'mailed-link'));
  checks.equal(`the link of the mail opens a form for ${email}`, seen.email, email);
  const wrong = await proxy.canLogIn(email, `${password}?`);
  checks.that('who sets a password there may log in with it alone', (await proxy.canLogIn(email, password)) && !wrong);
}

function linkRows(artifacts: ReadonlyMap<string, Artifact>): Record<string, string>[] {
  const csv = fileOf(artifacts, 'onboarding-links', 'onboarding_links.csv');
  return Papa.parse<Record<string, string>>(csv.trim(), { header: true }).data;
}

/** Each file's text, by artifact and name. */
function allOf(artifacts: ReadonlyMap<string, Artifact>, names: readonly string[]): Record<string, string> {
  const files = names.flatMap((name) =>
    [...(artifacts.get(name) ?? [])].map(([file, bytes]) => [`${name}/${file}`, bytes]),
  );
  return Object.fromEntries(files.map(([name, bytes]) => [name, String(bytes)]));
}

function checkRecord({ checks }: Lab, jsonl: string, number: number): void {
  const lines = jsonl
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const seen = lines.map(({ action, email, pull_request, pull_request_author, result }) =>
    [action, email, pull_request, pull_request_author, result].join(),
  );
  checks.equal(
    'the record names pull request and author',
    seen.sort(),
    NEW.map((email) => ['add', email, number, 'lab-admin', 'SUCCESS'].join()),
  );
  const run = String(lines[0]?.run);
  checks.that('and the run', /\/actions\/runs\/\d+/.test(run), run);
}
