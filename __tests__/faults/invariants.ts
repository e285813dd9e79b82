import { createHash } from 'node:crypto';
import type { Api } from '../contract/api.ts';
import { decoded, type Received } from '../mail/servers.ts';
import type { Files, LinkRow, ResultRow } from './files.ts';
import { anyTeams, fullTeams, keysOf, type Snapshot } from './snapshot.ts';
import { emailOf, PEOPLE, type Person, type Task, wantedRole, wantedTeams } from './world.ts';

export interface Evidence {
  readonly task: Task;
  readonly api: Api;
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly files: Files;
  /** Those that the mail server has taken. */
  readonly mails: readonly Received[];
}

const MOVED = PEOPLE.filter((person) => person.before !== null && wantedTeams(person) !== null);

/** What must hold after every run, whatever went wrong; the ways in which it does not. */
export async function violations(evidence: Evidence): Promise<string[]> {
  return [
    ...doubles(evidence),
    ...strangers(evidence),
    ...bystanders(evidence),
    ...homeless(evidence.after),
    ...(evidence.files.isUnfinished ? [] : unseenKeys(evidence)),
    ...(await linkless(evidence)),
    ...mailedTwice(evidence),
    ...untruths(evidence),
  ];
}

/** What must hold, too, once a run without any fault came after. */
export function unfinished({ task, after, files }: Evidence): string[] {
  const { added, deleted, updated, invited } = task;
  const linked = new Set(files.links.flatMap((row) => (row.invitation_id === '' ? [] : row.user_id)));
  return [
    ...deleted.flatMap(({ id }) => (after.users.has(id) ? [`${id} was not deleted in the end`] : [])),
    ...added.flatMap((person) => lackingUntold(person, after, files)),
    ...updated.flatMap((person) => lacking(person, after)),
    ...invited.flatMap(({ id }) => (linked.has(id) ? [] : [`${id} has no fresh link in the end`])),
  ];
}

/** Nothing: who was refused a team is left to a person, whom a row has told which one and what to do. */
function lackingUntold(person: Person, after: Snapshot, files: Files): string[] {
  const reasons = files.everyRow.filter((row) => row.email === emailOf(person.id)).map((row) => row.error_reason);
  const isTold = (team: string): boolean =>
    reasons.some(
      (reason) => reason.includes(`not in team ${team}: `) && reason.includes('add the user to the team in'),
    );
  const user = [...after.users.values()].find((one) => one.email === emailOf(person.id));
  const missing =
    user === undefined ? [] : (wantedTeams(person) ?? []).filter((team) => !anyTeams(after, user.id).includes(team));
  return missing.length > 0 && missing.every(isTold) ? [] : lacking(person, after);
}

/** Users who are to be in a team all the time and are in none. */
export function homeless(after: Snapshot): string[] {
  return MOVED.flatMap(({ id }) => {
    const wants = wantedTeams(PEOPLE.find((person) => person.id === id) as Person) ?? [];
    if (wants.length === 0 || !after.users.has(id) || fullTeams(after, id).length > 0) return [];
    return [`${id} is in neither of their teams`];
  });
}

function doubles({ after }: Evidence): string[] {
  const emails = [...after.users.values()].flatMap((user) => user.email?.trim().toLowerCase() ?? []);
  return emails.filter((email, at) => emails.indexOf(email) !== at).map((email) => `${email} is there twice`);
}

function strangers({ task, before, after }: Evidence): string[] {
  const wanted = new Set(task.added.map(({ id }) => emailOf(id)));
  return [...after.users.values()].flatMap(({ id, email }) =>
    before.users.has(id) || (email !== null && wanted.has(email)) ? [] : [`user ${id} (${email}) came from nowhere`],
  );
}

function bystanders({ task, before, after }: Evidence): string[] {
  return [...before.users.keys()].flatMap((id) => {
    const person = PEOPLE.find((one) => one.id === id);
    if (task.deleted.some((one) => one.id === id)) return [];
    if (!after.users.has(id)) return [`${id} was deleted, though nobody asked for it`];
    const stays = person === undefined || !task.updated.includes(person);
    const was = stays ? wholeOf(before, id) : lasting(before, id, person);
    const is = stays ? wholeOf(after, id) : lasting(after, id, person);
    return was === is ? [] : [`${id} was changed, though nobody asked for it: ${was} → ${is}`];
  });
}

function wholeOf(seen: Snapshot, id: string): string {
  const { role, email } = seen.users.get(id) ?? {};
  const keys = keysOf(seen, id).map((key) => key.hash.slice(0, 8));
  return JSON.stringify({ email, role, full: fullTeams(seen, id), any: anyTeams(seen, id), keys: keys.toSorted() });
}

/** What no update may change: email, keys (those of a team that is left move), role and teams where not named. */
function lasting(seen: Snapshot, id: string, person: Person): string {
  const teams = wantedTeams(person);
  const { email, role } = seen.users.get(id) ?? {};
  const named = new Set([...(person.before?.teams ?? []), ...(teams ?? [])]);
  return JSON.stringify({
    email,
    role: wantedRole(person) === null ? role : '(named)',
    teams: anyTeams(seen, id).filter((team) => teams === null || !named.has(team)),
    keys: keysOf(seen, id)
      .map((key) => key.hash.slice(0, 8))
      .toSorted(),
  });
}

function unseenKeys({ task, after, files }: Evidence): string[] {
  const saved = new Set(files.links.map((row) => createHash('sha256').update(row.api_key).digest('hex')));
  return newUsers(task, after).flatMap(({ id, email }) =>
    keysOf(after, id).flatMap((key) =>
      saved.has(key.hash) ? [] : [`${email} has a key (${key.hash.slice(0, 8)}) that is in no file`],
    ),
  );
}

/** Whoever is to have a link has one that works, or a row that says how to get one. */
async function linkless({ task, api, after, files, mails }: Evidence): Promise<string[]> {
  const found: string[] = [];
  const invited = task.invited.map(({ id }) => ({ id, email: emailOf(id) }));
  for (const { id, email } of [...newUsers(task, after), ...(files.rows === null ? [] : invited)]) {
    const link = files.links.find((row) => row.user_id === id && row.invitation_id !== '');
    if (link !== undefined)
      found.push(...(await deadLink(api, link.invitation_id === DELIVERED ? mailed(link, mails) : link)));
    else if (
      !files.everyRow.some((row) => row.email === email && /onboard|run again|next run/.test(row.error_reason))
    ) {
      if (!files.isUnfinished) found.push(`${email} has no link, and no row says how to get one`);
    }
  }
  return found;
}

const DELIVERED = 'delivered';

/** The link that the user has by mail; a blank one where no mail brought it. */
function mailed(link: LinkRow, mails: readonly Received[]): LinkRow {
  const mail = mails.findLast((one) => one.to.includes(link.email));
  const onboarding_link = /\S+invitation_id=[\w-]+\S*/.exec(decoded(mail?.text ?? ''))?.[0] ?? '';
  return { ...link, onboarding_link, invitation_id: /invitation_id=([\w-]+)/.exec(onboarding_link)?.[1] ?? 'none' };
}

/** Each link goes out once, and to its own user. */
function mailedTwice({ mails }: Evidence): string[] {
  const ids = mails.map(({ text }) => /invitation_id=([\w-]+)/.exec(decoded(text))?.[1]);
  return mails.flatMap(({ to }, at) => (ids.indexOf(ids[at]) === at ? [] : [`${to.join()} was mailed one link twice`]));
}

async function deadLink(api: Api, link: LinkRow): Promise<string[]> {
  const { status, body } = await api.get(`/invitation/info?invitation_id=${link.invitation_id}`);
  const fine = status === 200 && body.user_id === link.user_id && link.onboarding_link.includes(link.invitation_id);
  return fine ? [] : [`the link of ${link.email} does not work`];
}

function untruths({ after, files }: Evidence): string[] {
  const rows = files.rows ?? [];
  const emails = rows.map((row) => row.email);
  const repeated = emails.filter((email, at) => emails.indexOf(email) !== at);
  return [
    ...repeated.map((email) => `${email} has two rows`),
    ...rows.flatMap((row) => untruth(row, after, files).map((what) => `row of ${row.email}: ${what}`)),
  ];
}

function untruth(row: ResultRow, after: Snapshot, files: Files): string[] {
  const { action, status, error_reason: reason, user_id: id } = row;
  const wrong: string[] = [];
  if ((status === 'SUCCESS') !== (reason === '')) wrong.push(`${status} with reason '${reason}'`);
  const person = PEOPLE.find((one) => emailOf(one.id) === row.email);
  if (person === undefined) return status === 'SKIPPED' ? [] : [`${status}, though there is no such user`];
  if (action === 'DELETED' && status === 'SUCCESS' && after.users.has(id)) wrong.push('says deleted, but is there');
  if (action === 'DELETED' && status === 'SKIPPED' && after.users.has(person.id))
    wrong.push('is there, but was skipped');
  if (action === 'UPDATED' && status === 'SUCCESS') wrong.push(...lacking(person, after));
  const unsure = /run again|may or may not/.test(reason);
  if (action === 'UPDATED' && status === 'FAILED' && !unsure && lacking(person, after).length === 0)
    wrong.push(`says failed (${reason}), but all is done`);
  if (action === 'ADDED' && !isLeftToPerson(row, files)) wrong.push(...untrueAdd(row, person, after, files));
  if (action === 'UNCHANGED' && status === 'SUCCESS' && !after.users.has(id))
    wrong.push('says it is there, but is not');
  return wrong;
}

/** `onboard` gives whoever exists by now a link, and nothing else: a row before this one has said what is left to a person. */
function isLeftToPerson(row: ResultRow, { everyRow }: Files): boolean {
  return everyRow.some(
    ({ email, error_reason: reason }) =>
      row.status === 'SUCCESS' &&
      row.api_keys === null &&
      email === row.email &&
      /^created, but .* in the proxy's UI/.test(reason),
  );
}

function untrueAdd(row: ResultRow, person: Person, after: Snapshot, files: Files): string[] {
  const present = [...after.users.values()].find((user) => user.email === row.email);
  const { status, error_reason: reason } = row;
  if (status === 'SKIPPED') return present === undefined ? [`${reason}, but is not there`] : [];
  if (/^(not created|not attempted)/.test(reason)) return present === undefined ? [] : [`${reason}, but is there`];
  if (row.user_id !== '' && present?.id !== row.user_id)
    return [`names user ${row.user_id}, but there is ${present?.id}`];
  if (status !== 'SUCCESS') return [];
  const [key, ...more] = keysOf(after, row.user_id);
  // A run that was stopped, and the one that completed it, have a row each: the first one's may lack something.
  const link = files.links.findLast((one) => one.user_id === row.user_id);
  const wrong = lacking(person, after);
  if (key === undefined || more.length > 0) wrong.push(`has ${more.length + (key ? 1 : 0)} keys`);
  if (link === undefined || link.api_key === '' || link.onboarding_link === '')
    wrong.push('key or link is not in the file');
  if (row.api_keys !== null && row.api_keys !== `sk-...${link?.api_key.slice(-4)}`)
    wrong.push(`shows the key ${row.api_keys}, which is not theirs`);
  if (key !== undefined && (key.alias ?? '') !== (person.wanted?.keyName ?? ''))
    wrong.push(`the key is named ${key.alias}`);
  return wrong;
}

/** What a user whom the file names still lacks. */
function lacking(person: Person, after: Snapshot): string[] {
  const user = [...after.users.values()].find((one) => one.email === emailOf(person.id));
  if (user === undefined) return [`${person.id} is missing`];
  const role = wantedRole(person);
  const teams = wantedTeams(person);
  const wrong: string[] = [];
  if (role !== null && user.role !== role) wrong.push(`${person.id} has role ${user.role}, not ${role}`);
  for (const list of teams === null ? [] : [fullTeams(after, user.id), anyTeams(after, user.id)]) {
    if (list.join() !== teams?.join()) wrong.push(`${person.id} is in [${list.join()}], not in [${teams?.join()}]`);
  }
  return wrong;
}

function newUsers({ added }: Task, after: Snapshot) {
  return [...after.users.values()].filter((user) => added.some(({ id }) => emailOf(id) === user.email));
}
