import { fire, type Load } from './floor.ts';
import {
  createOneByOne,
  creations,
  csvOf,
  deleteAll,
  joinTeams,
  type Member,
  members,
  pieces,
  populate,
  TEAMS,
} from './population.ts';

/** Concurrencies among which the load generator's best one is looked for. */
const WIDTHS = [2, 4, 8, 16] as const;

/** Something that takes long: how we do it, and what the proxy itself needs for it. */
export interface Work {
  readonly name: string;
  /** Most that our time may be of the floor's. */
  readonly target: number;
  /** Users on the proxy before. */
  readonly before: readonly Member[];
  /** Users in the file. */
  readonly wanted: readonly Member[];
  readonly flags: readonly string[];
  /** Milliseconds of a load generator for the writes, or the reads, that cannot be done without. */
  readonly floor: (load: Load, width: number) => Promise<number>;
  readonly widths: readonly number[];
}

const THOUSAND = members(1000);
const SOMEBODY: Member = { id: 'somebody', email: 'somebody@example.com', role: 'internal_user', team: 't0' };

/** @param bulk whether the proxy has the bulk routes, and the snapshot, of 1.103 */
export function works(bulk: boolean, plans: readonly number[]): Work[] {
  const planned = plans.map((count) => planning(count, bulk ? 0.3 : 1.1));
  if (bulk) return [...planned, adding(1.1), changingRoles(), moving(), deleting(1.2)];
  return [...planned, addingOneByOne(1.15), deletingAfterPages(1.15)];
}

export function prepare(load: Load, { before }: Work): Promise<void> {
  return populate(load, before);
}

export function csvFor({ wanted }: Work): string {
  return csvOf(wanted);
}

function planning(count: number, target: number): Work {
  const users = members(count);
  return {
    name: `plan at ${count.toLocaleString('en')}`,
    target,
    before: users,
    wanted: [...users.slice(0, -10), ...members(10, 'new')],
    flags: ['--dry-run'],
    floor: (load, width) => readPages(load, count, width),
    widths: WIDTHS,
  };
}

/** Every page of this many users, and of `default_user_id`. */
function readPages(load: Load, count: number, width: number): Promise<number> {
  const pages = Array.from({ length: Math.ceil((count + 1) / 100) }, (_, at) => at + 1);
  return fire(pages, width, (page) => load.get(`/user/list?page=${page}&page_size=100&sort_by=user_id&sort_order=asc`));
}

const ADDING = {
  name: 'add 1,000 with keys and links',
  before: [SOMEBODY],
  wanted: [SOMEBODY, ...THOUSAND],
  flags: [],
  widths: WIDTHS,
} as const;

function adding(target: number): Work {
  const floor = async (load: Load, width: number): Promise<number> => {
    const begin = performance.now();
    for (const body of creations(THOUSAND, true)) await load.post('/management/v1/users/bulk', body);
    await invite(load, width);
    return performance.now() - begin;
  };
  return { ...ADDING, target, floor };
}

function addingOneByOne(target: number): Work {
  const floor = async (load: Load, width: number): Promise<number> => {
    const begin = performance.now();
    await createOneByOne(load, THOUSAND, width);
    await joinTeams(load, THOUSAND, width);
    await fire(THOUSAND, width, ({ id, team }) => load.post('/key/generate', { user_id: id, team_id: team }));
    await invite(load, width);
    return performance.now() - begin;
  };
  return { ...ADDING, target, floor, widths: [8, 16] };
}

function invite(load: Load, width: number): Promise<number> {
  return fire(THOUSAND, width, ({ id }) => load.post('/invitation/new', { user_id: id }));
}

function changingRoles(): Work {
  const role = 'internal_user_viewer';
  return {
    name: 'update 1,000 roles',
    target: 1.15,
    before: THOUSAND,
    wanted: THOUSAND.map((user) => ({ ...user, role })),
    flags: [],
    floor: (load) =>
      fire([...pieces(THOUSAND)], 1, (piece) =>
        load.post('/user/bulk_update', { users: piece.map(({ id }) => ({ user_id: id, user_role: role })) }),
      ),
    widths: [1],
  };
}

/** From one team to another, all of them. */
function moving(): Work {
  const [from, to] = TEAMS;
  const before = members(500).map((user) => ({ ...user, team: from }));
  const after = before.map((user) => ({ ...user, team: to }));
  return {
    name: 'move 500 between two teams',
    target: 1.15,
    before,
    wanted: after,
    flags: [],
    floor: async (load) => {
      const begin = performance.now();
      await joinTeams(load, after, 1);
      const leaving = before.map(({ id }) => ({ user_id: id }));
      await load.post(`/management/v1/teams/${from}/members/bulk_delete`, { members: leaving });
      return performance.now() - begin;
    },
    widths: [1],
  };
}

function deleting(target: number): Work {
  return {
    name: 'delete 1,000',
    target,
    before: [SOMEBODY, ...THOUSAND],
    wanted: [SOMEBODY],
    flags: [],
    floor: (load) =>
      deleteAll(
        load,
        THOUSAND.map(({ id }) => id),
      ),
    widths: [1],
  };
}

/** Without the snapshot ids come from pages alone: whose emails a file lacks is to be seen nowhere else. */
function deletingAfterPages(target: number): Work {
  const plain = deleting(target);
  const floor = async (load: Load, width: number): Promise<number> =>
    (await readPages(load, plain.before.length, width)) + (await plain.floor(load, width));
  return { ...plain, floor, widths: [4, 8] };
}
