import { fire, type Load } from './floor.ts';
import { creations, csvOf, type Member, members, pieces, populate, TEAMS } from './population.ts';

/** Concurrencies among which the load generator's best one is looked for. */
const WIDTHS = [1, 2, 4, 8, 16] as const;

/** Something that takes long: how we do it, and what the proxy itself needs for it. */
export interface Work {
  readonly name: string;
  /** Most that our time may be of the floor's. */
  readonly target: number;
  /** The proxy as it must be before. */
  readonly prepare: (load: Load) => Promise<void>;
  readonly csv: string;
  readonly flags: readonly string[];
  /** Milliseconds of a load generator for the writes, or the reads, that cannot be done without. */
  readonly floor: (load: Load, width: number) => Promise<number>;
  readonly widths: readonly number[];
}

const THOUSAND = members(1000);
const MOVERS = members(500);
/** The route takes 500, but its transaction ends after 5 seconds: on two cores 250 fail. */
const MOST_JOINING = 50;
const SOMEBODY: Member = { id: 'somebody', email: 'somebody@example.com', role: 'internal_user', team: 't0' };

export function works(planned: number): Work[] {
  return [planning(planned), adding(), changingRoles(), moving(), deleting()];
}

function planning(count: number): Work {
  const users = members(count);
  const wanted = [...users.slice(0, -10), ...members(10, 'new')];
  const pages = Array.from({ length: Math.ceil((count + 1) / 100) }, (_, at) => at + 1);
  return {
    name: `plan at ${count.toLocaleString('en')}`,
    target: 1.2,
    prepare: (load) => populate(load, users),
    csv: csvOf(wanted),
    flags: ['--dry-run'],
    floor: (load, width) =>
      fire(pages, width, (page) => load.get(`/user/list?page=${page}&page_size=100&sort_by=user_id&sort_order=asc`)),
    widths: WIDTHS,
  };
}

function adding(): Work {
  return {
    name: 'add 1,000 with keys and links',
    target: 1.2,
    prepare: (load) => populate(load, [SOMEBODY]),
    csv: csvOf([SOMEBODY, ...THOUSAND]),
    flags: [],
    floor: async (load, width) => {
      const begin = performance.now();
      const invite = ({ id }: Member) => load.post('/invitation/new', { user_id: id });
      for (const body of creations(THOUSAND, true)) await load.post('/management/v1/users/bulk', body);
      await fire(THOUSAND, width, invite);
      return performance.now() - begin;
    },
    widths: WIDTHS,
  };
}

function changingRoles(): Work {
  const role = 'internal_user_viewer';
  return {
    name: 'update 1,000 roles',
    target: 1.3,
    prepare: (load) => populate(load, THOUSAND),
    csv: csvOf(THOUSAND.map((user) => ({ ...user, role }))),
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
  const before = MOVERS.map((user) => ({ ...user, team: from }));
  const ids = MOVERS.map(({ id }) => ({ user_id: id }));
  return {
    name: 'move 500 between two teams',
    target: 1.3,
    prepare: (load) => populate(load, before),
    csv: csvOf(before.map((user) => ({ ...user, team: to }))),
    flags: [],
    floor: async (load) => {
      const begin = performance.now();
      for (const piece of pieces(ids, MOST_JOINING)) {
        const joining = piece.map((member) => ({ ...member, role: 'user' }));
        await load.post('/team/bulk_member_add', { team_id: to, members: joining });
      }
      await load.post(`/management/v1/teams/${from}/members/bulk_delete`, { members: ids });
      return performance.now() - begin;
    },
    widths: [1],
  };
}

function deleting(): Work {
  return {
    name: 'delete 1,000',
    target: 1.3,
    prepare: (load) => populate(load, [SOMEBODY, ...THOUSAND]),
    csv: csvOf([SOMEBODY]),
    flags: [],
    floor: (load) =>
      fire([...pieces(THOUSAND)], 1, (piece) =>
        load.post('/management/v1/users/bulk_delete', { user_ids: piece.map(({ id }) => id) }),
      ),
    widths: [1],
  };
}
