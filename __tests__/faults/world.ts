import type { Api } from '../contract/api.ts';
import type { Evidence } from './invariants.ts';
import type { Snapshot } from './snapshot.ts';

/** One user of the world: as they are on the proxy before the run, and as the file of `sync` wants them. */
export interface Person {
  readonly id: string;
  /** `null`: not on the proxy yet. */
  readonly before: {
    readonly role: string;
    readonly teams: readonly string[];
    readonly keys?: readonly string[];
  } | null;
  /** `null`: not in the file. */
  readonly wanted: { readonly role: string; readonly team: string; readonly keyName?: string } | null;
}

const TEAMS = ['alpha', 'beta', 'gamma'] as const;
const USER = 'internal_user';

/** Never touched: one protected, one in nobody's file without an email. */
const PROTECTED = 'service@*';
const NAMELESS = 'nameless-bot';

/** Adds with and without keys' names and teams, deletes, role changes, team moves, and users that stay as they are. */
export const PEOPLE: readonly Person[] = [
  person('stay-1', [USER, 'alpha'], [USER, 'alpha'], { alpha: 1 }),
  person('stay-2', [USER], [USER, '']),
  person('stay-3', ['proxy_admin_viewer', 'beta', 'gamma'], ['', 'gamma;beta']),
  person('service', [USER, 'alpha'], null, { alpha: 1 }),
  person('gone-1', [USER, 'alpha'], null, { alpha: 1 }),
  person('gone-2', [USER, 'beta', 'gamma'], null),
  person('gone-3', ['internal_user_viewer'], null),
  person('move-1', [USER, 'alpha'], [USER, 'beta'], { alpha: 1 }),
  person('move-2', [USER, 'alpha'], [USER, 'beta;gamma']),
  person('move-3', [USER, 'alpha', 'beta'], ['', 'gamma']),
  person('move-4', [USER, 'gamma'], ['internal_user_viewer', 'alpha']),
  person('less-1', [USER, 'alpha', 'beta'], [USER, 'beta']),
  person('role-1', [USER, 'alpha'], ['internal_user_viewer', ''], { alpha: 1 }),
  person('role-2', [USER], ['proxy_admin_viewer', '']),
  newcomer('new-1', USER, 'alpha', 'first key'),
  newcomer('new-2', 'internal_user_viewer', 'alpha;beta'),
  newcomer('new-3', USER, '-'),
  newcomer('new-4', '', ''),
  newcomer('new-5', USER, 'beta', 'fifth key'),
  newcomer('new-6', 'default', 'gamma'),
];

export function emailOf(id: string): string {
  return `${id}@example.com`;
}

/** Team names of a `team_name` cell; `null` where teams are not managed. */
export function wantedTeams({ wanted }: Person): readonly string[] | null {
  if (wanted === null || wanted.team === '') return null;
  return wanted.team === '-' ? [] : wanted.team.split(';').toSorted();
}

/** The role that the file asks for; `null` where any will do. */
export function wantedRole({ before, wanted }: Person): string | null {
  if (wanted?.role === '') return before === null ? USER : null;
  return wanted === null || wanted.role === 'default' ? null : wanted.role;
}

const NEWCOMERS = PEOPLE.filter((person) => person.before === null);
const LEAVERS = PEOPLE.filter((person) => person.wanted === null && person.id !== 'service');
/** Existing users to whom `onboard` gives a fresh link. */
const INVITED = PEOPLE.filter(({ id }) => /^(stay|move)-[12]$/.test(id));

/** What one command is to do in this world. */
export interface Task {
  readonly command: (typeof COMMANDS)[number];
  /** Name and content of its file. */
  readonly file: readonly [name: string, csv: string];
  readonly flags: readonly string[];
  readonly added: readonly Person[];
  readonly deleted: readonly Person[];
  /** Whose role or teams it may change. */
  readonly updated: readonly Person[];
  /** Existing users who get a fresh link. */
  readonly invited: readonly Person[];
}

/** A world with a file for it, and what must hold there. */
export interface Trial {
  readonly task: Task;
  /** Puts the world on a proxy without users; its teams are made where they are missing. */
  populate(api: Api): Promise<void>;
  /** The ways in which what must hold after every run does not. */
  violations(evidence: Evidence): Promise<string[]>;
  /** What must hold, too, once a run without any fault came after. */
  unfinished(evidence: Evidence): string[];
  /** While the run goes on: users who are to be in a team all the time and are in none. */
  homeless(after: Snapshot): string[];
}

export const COMMANDS = ['sync', 'add', 'delete', 'onboard'] as const;

export function taskOf(command: Task['command']): Task {
  const nothing = { command, added: [], deleted: [], updated: [], invited: [], flags: [] };
  const absent = `${emailOf('nobody')}`;
  switch (command) {
    case 'sync':
      return {
        ...nothing,
        file: ['user_list.csv', csvOf(PEOPLE)],
        flags: ['--max-deletes', '100', '--protected-users', PROTECTED],
        added: NEWCOMERS,
        deleted: LEAVERS,
        updated: PEOPLE.filter(({ id }) => /^(move|less|role)-/.test(id)),
      };
    case 'add':
      return { ...nothing, file: ['user_addlist.csv', csvOf([...NEWCOMERS, ...INVITED])], added: NEWCOMERS };
    case 'delete': {
      const emails = [...LEAVERS.map(({ id }) => emailOf(id)), absent];
      return { ...nothing, file: ['user_dellist.csv', `email\n${emails.join('\n')}\n`], deleted: LEAVERS };
    }
    case 'onboard':
      return {
        ...nothing,
        file: ['users.csv', csvOf([...NEWCOMERS, ...INVITED])],
        flags: ['--api-keys', 'true'],
        added: NEWCOMERS,
        invited: INVITED,
      };
  }
}

function csvOf(people: readonly Person[]): string {
  const rows = people.flatMap(({ id, wanted }) =>
    wanted === null ? [] : [`${emailOf(id)},${wanted.role},${wanted.team},${wanted.keyName ?? ''}`],
  );
  return `email,role,team_name,key_name\n${rows.join('\n')}\n`;
}

/** Puts the world on a proxy without users; its teams are made where they are missing. */
export async function populate(api: Api): Promise<void> {
  const { body } = await api.get('/v2/team/list?page_size=100');
  const known = new Set(body.teams.map((team: { team_id: string }) => team.team_id));
  for (const team of TEAMS) if (!known.has(team)) await api.makeTeam(team);
  await api.ok('/user/new', { user_id: NAMELESS, user_role: USER, auto_create_key: false });
  for (const { id, before } of PEOPLE) {
    if (before === null) continue;
    await api.makeUser(id, { user_role: before.role, teams: before.teams });
    for (const team of before.keys ?? []) {
      await api.ok('/key/generate', { user_id: id, team_id: team, key_alias: `${id} ${team}` });
    }
  }
}

function person(
  id: string,
  [role, ...teams]: readonly [string, ...string[]],
  wanted: readonly [string, string] | null,
  keys: Readonly<Record<string, number>> = {},
): Person {
  const before = { role, teams, keys: Object.keys(keys) };
  return { id, before, wanted: wanted === null ? null : { role: wanted[0], team: wanted[1] } };
}

function newcomer(id: string, role: string, team: string, keyName?: string): Person {
  return { id, before: null, wanted: { role, team, ...(keyName === undefined ? {} : { keyName }) } };
}
