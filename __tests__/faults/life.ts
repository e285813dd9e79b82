import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Version } from '../../standin/versions.ts';
import type { Api } from '../contract/api.ts';
import type { ResultRow } from './files.ts';
import type { Evidence } from './invariants.ts';
import { anyTeams, fullTeams, keysOf, type SeenLimits, type SeenUser, type Snapshot } from './snapshot.ts';
import type { Task, Trial } from './world.ts';

type Limits = Partial<SeenLimits>;
type Activity = 'active' | 'off by us' | 'off by others';

interface Life {
  readonly id: string;
  /** `null`: not on the proxy yet. */
  readonly before: {
    readonly role?: string;
    readonly teams?: readonly string[];
    readonly limits?: Limits;
    readonly activity?: Activity;
    /** Team of each key; `null`: a personal one. */
    readonly keys?: readonly (string | null)[];
  } | null;
  /** What the row asks for beyond what is there; `null`: not in the file. */
  readonly wanted: {
    readonly role?: string;
    readonly teams?: readonly string[];
    readonly limits?: Limits;
    /** Cells of columns as they are written where that is not the value. */
    readonly cells?: Readonly<Record<string, string>>;
    readonly email?: string;
    readonly keyName?: string;
  } | null;
  /** The team to which keys of left teams go; `null`: none, they are deleted. */
  readonly keysTo?: string | null;
}

const USER = 'internal_user';
const TEAMS = ['red', 'green', 'blue'] as const;
const NO_LIMITS: SeenLimits = { max_budget: null, budget_duration: null, tpm_limit: null, rpm_limit: null, models: [] };
const OLD: Limits = { max_budget: 10, budget_duration: '7d', tpm_limit: 5, rpm_limit: 9 };
const NEW: Limits = { max_budget: 200.5, budget_duration: '30d', tpm_limit: 7000 };

/** What somebody else keeps in metadata, and would miss. */
const THEIRS = { note: 'kept by others', nested: { list: [1, { deep: true }], secret: 'sk-of-somebody-else' } };
const MARK = 'litellm_user_sync';

/** A user for every kind of change and for their mixtures, and those whom no change is about. */
function peopleOn(version: Version): readonly Life[] {
  const clearsAll = version === '1.106' || version === '1.110';
  const cleared: Limits = { max_budget: null, ...(clearsAll ? { budget_duration: null, tpm_limit: null } : {}) };
  const dashes = Object.fromEntries(Object.keys(cleared).map((column) => [column, '-']));
  const people: readonly Life[] = [
    { id: 'set', before: { keys: [null] }, wanted: { limits: { ...NEW, rpm_limit: 0, models: ['m1', 'm2'] } } },
    { id: 'raised', before: { limits: OLD, teams: ['red'], keys: ['red'] }, wanted: { limits: NEW } },
    { id: 'cleared', before: { limits: OLD }, wanted: { limits: cleared, cells: dashes } },
    { id: 'same', before: { limits: OLD, teams: ['red'] }, wanted: { limits: OLD, teams: ['red'] } },
    { id: 'married', before: { teams: ['red'], keys: ['red', null] }, wanted: { email: 'wed@example.com' } },
    {
      id: 'mixed',
      before: { limits: OLD, teams: ['red'], keys: ['red', null] },
      wanted: { email: 'mix@example.com', role: 'internal_user_viewer', limits: NEW, teams: ['blue'] },
      keysTo: 'blue',
    },
    {
      id: 'moved',
      before: { teams: ['red'], keys: ['red', 'red', null] },
      wanted: { teams: ['blue'] },
      keysTo: 'blue',
    },
    // Planned anew once the first team is joined, these keys have no destination.
    {
      id: 'half-moved',
      before: { teams: ['red', 'green'], keys: ['red', 'green'] },
      wanted: { teams: ['blue', 'green'] },
      keysTo: 'blue',
    },
    {
      id: 'reduced',
      before: { teams: ['green', 'red'], keys: ['red'] },
      wanted: { teams: ['green'] },
      keysTo: 'green',
    },
    { id: 'left', before: { teams: ['red'], keys: ['red', null] }, wanted: { teams: [] }, keysTo: null },
    { id: 'demoted', before: { role: 'proxy_admin', limits: OLD, keys: [null] }, wanted: { role: USER } },
    { id: 'boss', before: { role: 'proxy_admin' }, wanted: {} },
    { id: 'service', before: { teams: ['red'], limits: OLD, keys: ['red', null] }, wanted: null },
    { id: 'new-plain', before: null, wanted: { teams: ['blue'], keyName: 'plain key' } },
    { id: 'new-limited', before: null, wanted: { teams: ['blue'], limits: { ...NEW, models: ['m1'] } } },
  ];
  if (version === '1.82') return people;
  return [
    ...people,
    { id: 'gone-1', before: { teams: ['red'], keys: ['red', null] }, wanted: null },
    { id: 'gone-2', before: { limits: OLD, keys: [null] }, wanted: null },
    { id: 'back', before: { activity: 'off by us', keys: [null] }, wanted: {} },
    {
      id: 'back-moved',
      before: { activity: 'off by us', teams: ['red'], keys: ['red'], limits: OLD },
      wanted: { teams: ['green'], limits: NEW },
      keysTo: 'green',
    },
    { id: 'barred', before: { activity: 'off by others', keys: [null] }, wanted: null },
  ];
}

/** Protected, or nobody's to touch. */
const UNTOUCHED = new Set(['service', 'barred', 'boss', 'same']);

/** `sync` on whole lives of accounts. */
export function lifeTrial(version: Version): Trial {
  const people = peopleOn(version);
  const life = new LifeCheck(people);
  return {
    task: taskFor(people, version),
    populate: (api) => populate(api, people),
    violations: (evidence) => life.violations(evidence),
    unfinished: (evidence) => life.unfinished(evidence.after),
    homeless: (after) => life.homeless(after),
  };
}

function emailOf(id: string): string {
  return `${id}@example.com`;
}

function wantedEmail({ id, wanted }: Life): string {
  return wanted?.email ?? emailOf(id);
}

const COLUMNS = ['max_budget', 'budget_duration', 'tpm_limit', 'rpm_limit', 'models'] as const;

function taskFor(people: readonly Life[], version: Version): Task {
  const header = ['email', 'role', 'team_name', 'key_name', 'previous_email', ...COLUMNS];
  const rows = people.flatMap((person) => (person.wanted === null ? [] : [cellsOf(person, person.wanted).join(',')]));
  const nothing = { added: [], deleted: [], updated: [], invited: [] };
  const flags = ['--max-deletes', '100', '--protected-users', emailOf('service')];
  return {
    ...nothing,
    command: 'sync',
    file: ['user_list.csv', `${[header.join(','), ...rows].join('\n')}\n`],
    flags: version === '1.82' ? flags : [...flags, '--on-missing', 'deactivate'],
  };
}

function cellsOf(person: Life, wanted: NonNullable<Life['wanted']>): string[] {
  const { role = '', teams, limits = {}, cells = {}, keyName = '' } = wanted;
  const team = teams === undefined ? '' : teams.length === 0 ? '-' : teams.join(';');
  const amounts = COLUMNS.map((column) => cells[column] ?? cellOf(limits[column]));
  return [wantedEmail(person), role, team, keyName, wanted.email === undefined ? '' : emailOf(person.id), ...amounts];
}

function cellOf(value: Limits[keyof Limits]): string {
  return Array.isArray(value) ? value.join(';') : String(value ?? '');
}

async function populate(api: Api, people: readonly Life[]): Promise<void> {
  const { body } = await api.get('/v2/team/list?page_size=100');
  const known = new Set(body.teams.map((team: { team_id: string }) => team.team_id));
  for (const team of TEAMS) if (!known.has(team)) await api.makeTeam(team);
  for (const { id, before } of people) {
    if (before === null) continue;
    const { role = USER, teams = [], limits = {}, activity = 'active', keys = [] } = before;
    await api.makeUser(id, { user_role: role, teams, ...limits, metadata: metadataOf(activity) });
    for (const [at, team] of keys.entries()) {
      const options = { key_alias: `${id} ${at}`, max_budget: 3 + at, metadata: { key: id } };
      await api.ok('/key/generate', { user_id: id, ...(team === null ? {} : { team_id: team }), ...options });
    }
  }
}

function metadataOf(activity: Activity): object {
  if (activity === 'active') return THEIRS;
  const mark = activity === 'off by us' ? { [MARK]: { deactivated_at: '2026-01-01T00:00:00.000Z' } } : {};
  return { ...THEIRS, scim_active: false, ...mark };
}

function activityOf({ metadata }: SeenUser): Activity {
  if (metadata.scim_active !== false) return 'active';
  return metadata[MARK] === undefined ? 'off by others' : 'off by us';
}

class LifeCheck {
  readonly #people: readonly Life[];

  constructor(people: readonly Life[]) {
    this.#people = people;
  }

  /** What must hold after every run, whatever went wrong. */
  async violations({ api, before, after, files }: Evidence): Promise<string[]> {
    const found = [...strangers(this.#people, before, after), ...lostKeys(this.#people, before, after)];
    for (const person of this.#people) {
      found.push(...halfWay(person, before, after).map((what) => `${person.id}: ${what}`));
      const row = files.rows?.find((one) => one.email === wantedEmail(person) || one.user_id === person.id);
      if (row !== undefined) found.push(...untruth(row, person, after).map((what) => `row of ${person.id}: ${what}`));
    }
    const saved = new Set(files.links.map((link) => createHash('sha256').update(link.api_key).digest('hex')));
    for (const person of this.#people.filter((one) => one.before === null)) {
      const user = userOf(person, after);
      const link = files.links.findLast((one) => one.user_id === user?.id && one.invitation_id !== '');
      if (link !== undefined && (await api.get(`/invitation/info?invitation_id=${link.invitation_id}`)).status !== 200)
        found.push(`the link of ${person.id} does not work`);
      if (user === undefined || files.isUnfinished) continue;
      const hidden = keysOf(after, user.id).filter((key) => !saved.has(key.hash));
      if (hidden.length > 0) found.push(`${person.id} has ${hidden.length} keys that are in no file`);
    }
    return [...found, ...this.homeless(after)];
  }

  /** What must hold, too, once a run without any fault came after. */
  unfinished(after: Snapshot): string[] {
    return this.#people.flatMap((person) => lacking(person, after).map((what) => `${person.id}: ${what}`));
  }

  /** While the runs go on: a user with a team to go to is always in one. */
  homeless(after: Snapshot): string[] {
    return this.#people.flatMap(({ id, before, wanted }) => {
      if (!before?.teams?.length || wanted?.teams?.length === 0) return [];
      return fullTeams(after, id).length > 0 ? [] : [`${id} is in neither of their teams`];
    });
  }
}

function strangers(people: readonly Life[], before: Snapshot, after: Snapshot): string[] {
  const emails = [...after.users.values()].flatMap((user) => user.email?.toLowerCase() ?? []);
  const wanted = new Set(people.flatMap((person) => (person.before === null ? [wantedEmail(person)] : [])));
  return [
    ...emails.filter((email, at) => emails.indexOf(email) !== at).map((email) => `${email} is there twice`),
    ...[...after.users.values()].flatMap(({ id, email }) =>
      before.users.has(id) || wanted.has(email ?? '') ? [] : [`user ${id} (${email}) came from nowhere`],
    ),
    ...[...before.users.keys()].flatMap((id) => (after.users.has(id) ? [] : [`${id} is gone`])),
  ];
}

/** Every key of before is there as it was, but for those that the plan names; and in its old team or the new one. */
function lostKeys(people: readonly Life[], before: Snapshot, after: Snapshot): string[] {
  const now = new Map(after.keys.map((key) => [key.hash, key]));
  return before.keys.flatMap((key) => {
    const person = people.find(({ id }) => id === key.userId);
    const same = now.get(key.hash);
    const isLeft = key.teamId !== null && person?.wanted?.teams?.includes(key.teamId) === false;
    if (same === undefined) return isLeft && person?.keysTo === null ? [] : [`key ${key.alias} is gone`];
    const mayBeIn = isLeft ? [key.teamId, person?.keysTo] : [key.teamId];
    if (!mayBeIn.includes(same.teamId)) return [`key ${key.alias} is in team ${same.teamId}`];
    const changed = !isDeepStrictEqual({ ...same, teamId: null }, { ...key, teamId: null });
    return changed ? [`key ${key.alias} was changed: ${JSON.stringify(same)}`] : [];
  });
}

/** Each field is as it was or as it is wanted, metadata of others as it was. */
function halfWay(person: Life, before: Snapshot, after: Snapshot): string[] {
  const [was, is] = [before.users.get(person.id), after.users.get(person.id)];
  if (was === undefined || is === undefined) return [];
  const { wanted } = person;
  const wrong: string[] = [];
  const either = (what: string, now: unknown, ...allowed: readonly unknown[]): void => {
    if (!allowed.some((one) => isDeepStrictEqual(one, now))) wrong.push(`${what} is ${JSON.stringify(now)}`);
  };
  either('email', is.email, was.email, wantedEmail(person));
  either('role', is.role, was.role, wanted?.role ?? was.role);
  for (const column of COLUMNS) either(column, is.limits[column], was.limits[column], wantedLimit(person, was, column));
  either("others' metadata", othersIn(is), othersIn(was));
  either('activity', activityOf(is), activityOf(was), wantedActivity(person));
  const named = new Set([...anyTeams(before, person.id), ...(wanted?.teams ?? [])]);
  either(
    'foreign teams',
    anyTeams(after, person.id).filter((team) => !named.has(team)),
    [],
  );
  const isBack = activityOf(was) === 'off by us' && activityOf(is) === 'active';
  if (isBack) wrong.push(...lacking(person, after).map((what) => `works again before all is done: ${what}`));
  return wrong;
}

function othersIn({ metadata }: SeenUser): unknown {
  const { scim_active: _, [MARK]: __, ...others } = metadata;
  return others;
}

function wantedLimit({ wanted }: Life, was: SeenUser, column: keyof SeenLimits): unknown {
  return wanted?.limits !== undefined && column in wanted.limits ? wanted.limits[column] : was.limits[column];
}

function wantedActivity({ id, before, wanted }: Life): Activity {
  if (UNTOUCHED.has(id)) return before?.activity ?? 'active';
  return wanted === null ? 'off by us' : 'active';
}

function userOf(person: Life, after: Snapshot): SeenUser | undefined {
  if (person.before !== null) return after.users.get(person.id);
  return [...after.users.values()].find((user) => user.email === emailOf(person.id));
}

/** What a user still lacks. */
function lacking(person: Life, after: Snapshot): string[] {
  const { before, wanted } = person;
  const user = userOf(person, after);
  if (user === undefined) return ['is missing'];
  const wrong: string[] = [];
  const must = (what: string, now: unknown, wish: unknown): void => {
    if (!isDeepStrictEqual(now, wish)) wrong.push(`${what} is ${JSON.stringify(now)}, not ${JSON.stringify(wish)}`);
  };
  must('email', user.email, wantedEmail(person));
  must('role', user.role, wanted?.role ?? before?.role ?? USER);
  must('limits', user.limits, { ...NO_LIMITS, ...before?.limits, ...wanted?.limits });
  const teams = [...(wanted?.teams ?? before?.teams ?? [])].toSorted();
  must('teams', [fullTeams(after, user.id), anyTeams(after, user.id)], [teams, teams]);
  must('activity', activityOf(user), wantedActivity(person));
  const expected = (before?.keys ?? ['blue']).flatMap((team) => {
    if (team === null || teams.includes(team)) return [team];
    return person.keysTo == null ? [] : [person.keysTo];
  });
  must(
    'teams of keys',
    keysOf(after, user.id)
      .map((key) => key.teamId)
      .toSorted(),
    expected.toSorted(),
  );
  return wrong;
}

function untruth(row: ResultRow, person: Life, after: Snapshot): string[] {
  const { status, error_reason: reason } = row;
  const wrong: string[] = [];
  if ((status === 'SUCCESS') !== (reason === '')) wrong.push(`${status} with reason '${reason}'`);
  if (status === 'SUCCESS') wrong.push(...lacking(person, after));
  const isUnsure = /run again|may or may not|not known|next run|next plan|onboard|without a key/.test(reason);
  if (status === 'FAILED' && !isUnsure && lacking(person, after).length === 0)
    wrong.push(`says failed (${reason}), but all is done`);
  return wrong;
}
