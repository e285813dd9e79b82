import type { Call } from './context.ts';
import { detailError } from './refusal.ts';
import { listedUserShape } from './shapes.ts';
import { by, paged } from './sorting.ts';
import type { State } from './state.ts';
import type { UserRow } from './types.ts';
import { type Page, pageOf, slice } from './validate.ts';

const COLUMNS: Readonly<Record<string, (user: UserRow) => string | number | null>> = {
  user_id: (user) => user.userId,
  user_email: (user) => user.email,
  created_at: (user) => user.createdAt,
  spend: (user) => user.spend,
  user_alias: (user) => user.alias,
  user_role: (user) => user.role,
};
const MORE_COLUMNS: typeof COLUMNS = {
  max_budget: (user) => user.maxBudget,
  updated_at: (user) => user.updatedAt,
  sso_user_id: () => null,
  status: () => null,
  key_count: () => null,
};

/** `/user/list`. */
export function listUsers(call: Call): unknown {
  const { state, query, behaviour, caller } = call;
  const page = pageOf(query, 'page_size', 25);
  if (caller.role !== 'proxy_admin' && caller.role !== 'proxy_admin_viewer') {
    throw detailError(403, 'Only proxy admins and organization admins can list users.');
  }
  if (!behaviour.sortedUserList) return oldList(call, page);
  const order = orderOf(query, page, behaviour.moreSortColumns ? { ...COLUMNS, ...MORE_COLUMNS } : COLUMNS);
  const filtered = filteredUsers(state, query, behaviour.oneIdMeansPart);
  const users = filtered === null ? order.all(state) : filtered.sort(order.compare);
  return paged('users', users, page, (user) => listedShape(call, user));
}

function listedShape({ state, behaviour }: Call, user: UserRow): Record<string, unknown> {
  return { ...listedUserShape(user, behaviour), key_count: state.countKeysOfUser(user.userId) };
}

/** 1.55: in no order, neither sorted nor filtered by email; past the end the total is 0. */
function oldList(call: Call, page: Page): unknown {
  const { state, query } = call;
  const role = query.get('role');
  const users = [...state.users.values()].filter((user) => !role || user.role === role);
  const rows = slice(users, page);
  const total = rows.length === 0 ? 0 : users.length;
  const shapes = rows.map((user) => listedShape(call, user));
  const pages = Math.ceil(total / page.size);
  return { users: shapes, total, page: page.page, page_size: page.size, total_pages: pages };
}

interface Order {
  readonly compare: (a: UserRow, b: UserRow) => number;
  /** Every user, sorted once between two writes. */
  readonly all: (state: State) => readonly UserRow[];
}

/**
 * Without `sort_by` newest first, with no order among users of one moment: here those stand the one way round on odd
 * pages and the other on even ones, so that who pages without `sort_by` loses some, as on the real proxy.
 */
function orderOf(query: URLSearchParams, { page }: Page, columns: typeof COLUMNS): Order {
  const column = query.get('sort_by');
  const direction = (query.get('sort_order') ?? 'asc').toLowerCase();
  if (column === null) {
    const sign = page % 2 === 1 ? 1 : -1;
    const newest = by<UserRow>((user) => user.createdAt, true);
    return order(`newest ${sign}`, (a, b) => newest(a, b) || sign * (a.seq - b.seq));
  }
  const value = Object.hasOwn(columns, column) ? columns[column] : undefined;
  if (value === undefined) {
    throw detailError(400, `Invalid sort column. Must be one of: ${Object.keys(columns).join(', ')}`);
  }
  if (direction !== 'asc' && direction !== 'desc') {
    throw detailError(400, "Invalid sort order. Must be 'asc' or 'desc'");
  }
  return order(`${column} ${direction}`, by(value, direction === 'desc'));
}

const sorted = new WeakMap<State, { version: number; lists: Map<string, readonly UserRow[]> }>();

function order(name: string, compare: Order['compare']): Order {
  const all = (state: State): readonly UserRow[] => {
    let cached = sorted.get(state);
    if (cached === undefined || cached.version !== state.usersVersion) {
      cached = { version: state.usersVersion, lists: new Map() };
      sorted.set(state, cached);
    }
    const users = cached.lists.get(name) ?? [...state.users.values()].sort(compare);
    cached.lists.set(name, users);
    return users;
  };
  return { compare, all };
}

/** The users that a filter leaves, unsorted; `null` without any filter. */
function filteredUsers(state: State, query: URLSearchParams, oneIdMeansPart: boolean): UserRow[] | null {
  const ids = (query.get('user_ids') ?? '').split(',').flatMap((id) => id.trim() || []);
  const exactly = ids.length > 1 || !oneIdMeansPart;
  const tests = userTests(query, exactly ? [] : ids);
  if (ids.length === 0 && tests.length === 0) return null;
  const candidates =
    ids.length > 0 && exactly ? [...new Set(ids)].flatMap((id) => state.users.get(id) ?? []) : state.users.values();
  return [...candidates].filter((user) => tests.every((test) => test(user)));
}

/** @param parts At most one: users whose id contains it. */
function userTests(query: URLSearchParams, parts: readonly string[]): ((user: UserRow) => boolean)[] {
  const tests: ((user: UserRow) => boolean)[] = [];
  const part = parts[0]?.toLowerCase();
  if (part !== undefined) tests.push((user) => user.userId.toLowerCase().includes(part));
  const role = query.get('role');
  if (role) tests.push((user) => user.role === role);
  const team = query.get('team');
  if (team !== null) tests.push((user) => user.teams.includes(team));
  const email = query.get('user_email')?.toLowerCase();
  if (email !== undefined) tests.push((user) => user.email?.toLowerCase().includes(email) ?? false);
  const search = query.get('search')?.toLowerCase();
  if (search) tests.push(({ userId, email: own }) => `${userId}\n${own ?? ''}`.toLowerCase().includes(search));
  return tests;
}
