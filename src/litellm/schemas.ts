import { type ZodError, type ZodType, z } from 'zod';
import type { Activity } from '../core/inventory.ts';
import { htmlError, isHtml, LostWriteError, lostReason, type ProxyError, UnexpectedShapeError } from './errors.ts';
import type { Page } from './paging.ts';
import type { Answer } from './transport.ts';

/** The proxy's own user, made with its first team. Signs the invitations that the master key makes. */
export const PROXY_USER = 'default_user_id';

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? null);
const amount = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const list = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);

/** The answer of a write that says nothing worth reading; that it is JSON tells it from a login page's 200. */
export const anyJson = z.unknown();

const limit = z
  .number()
  .nullish()
  .transform((value) => value ?? null);

/** Of all that a user's metadata may hold, who switched their keys off; the rest is dropped here. */
function activityOf(metadata: unknown): Activity {
  // Source: only the boolean counts, a string "false" does nothing.
  if (!isObject(metadata) || metadata.scim_active !== false) return 'active';
  const mark = metadata.litellm_user_sync;
  return isObject(mark) && typeof mark.deactivated_at === 'string' ? 'deactivated by us' : 'deactivated by others';
}

const activity = z.unknown().optional().transform(activityOf);

const limitFields = {
  max_budget: limit,
  budget_duration: text,
  tpm_limit: limit,
  rpm_limit: limit,
  models: list,
};

type Row = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A schema for what may hold 100,000 rows: they are read by hand, and what is not as expected is left to the schema, which
 * tells what is wrong. By itself it makes three objects of each field, and V8 comes to put those where only a full
 * collection finds them: that costs 100 MB and a third of the time that the rows take.
 */
function quickly<T>(schema: ZodType<T>, read: (value: unknown) => T | null): ZodType<T> {
  return z.unknown().transform((value, context): T => {
    const known = read(value);
    if (known !== null) return known;
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });
}

const isText = (value: unknown): value is string | null | undefined => typeof (value ?? '') === 'string';
const isAmount = (value: unknown): value is number | null | undefined => Number.isFinite(value ?? 0);
const isCount = (value: unknown): value is number => Number.isFinite(value);
const isList = (value: unknown): value is string[] | null | undefined =>
  value === undefined || value === null || (Array.isArray(value) && value.every((one) => typeof one === 'string'));

const userFields = {
  user_id: z.string(),
  user_email: text,
  user_role: text,
  teams: list,
  spend: amount,
  ...limitFields,
  metadata: activity,
};

/** A row of `GET /user/list`. */
const userRow = z.object({ ...userFields, key_count: amount });

/** What {@link userRow} makes of a row; `null`: to be left to it. */
function quickUser(row: unknown): z.output<typeof userRow> | null {
  if (!isObject(row)) return null;
  const { user_id, user_email, user_role, teams, spend, metadata, key_count } = row;
  const { max_budget, budget_duration, tpm_limit, rpm_limit, models } = row;
  if (typeof user_id !== 'string' || !isText(user_email) || !isText(user_role) || !isList(teams)) return null;
  if (!isAmount(spend) || !isAmount(max_budget) || !isAmount(tpm_limit) || !isAmount(rpm_limit)) return null;
  if (!isText(budget_duration) || !isList(models) || !isAmount(key_count)) return null;
  return {
    user_id,
    user_email: user_email ?? null,
    user_role: user_role ?? null,
    teams: teams ?? [],
    spend: spend ?? 0,
    max_budget: max_budget ?? null,
    budget_duration: budget_duration ?? null,
    tpm_limit: tpm_limit ?? null,
    rpm_limit: rpm_limit ?? null,
    models: models ?? [],
    metadata: activityOf(metadata),
    key_count: key_count ?? 0,
  };
}

/** `key_count: null`: the route does not tell it. */
export type PlainUserRow = Omit<z.output<typeof userRow>, 'key_count'> & { readonly key_count: number | null };

function pageOf<T extends ZodType>(row: T) {
  return z.object({ users: z.array(row), total: z.number() });
}

/** A page of users, of each of whom is kept what `project` makes of them. */
export function projected<R extends { readonly user_id: string }, T>(
  page: ZodType<{ users: R[]; total: number }>,
  project: (row: R) => T,
): ZodType<Page<T>> {
  return page.transform(({ users, total }) => ({
    ids: users.map((user) => user.user_id),
    rows: users.map(project),
    total,
  }));
}

/** A page of `GET /user/list`; the rows themselves are kept nowhere. */
export function userPage<T>(project: (row: PlainUserRow) => T): ZodType<Page<T>> {
  return quickly(projected(pageOf(userRow), project), (body) => {
    if (!isObject(body) || !Array.isArray(body.users) || !isCount(body.total)) return null;
    const page = { ids: [] as string[], rows: [] as T[], total: body.total };
    for (const one of body.users) {
      const row = quickUser(one);
      if (row === null) return null;
      page.ids.push(row.user_id);
      page.rows.push(project(row));
    }
    return page;
  });
}

/** `GET /user/list` of which only the count of all users is wanted. */
export const userTotal = z.object({ total: z.number() });

/**
 * `GET /spend/users`. The proxy does not document it, so that it may change without a word: a row that lacks a field
 * makes no sense, instead of a user without teams. What is not named here is dropped, be it a password's hash.
 */
function snapshotOf<S extends Readonly<Record<string, ZodType>>>(shape: S) {
  const names = Object.keys(shape);
  const isWhole = (row: unknown): boolean =>
    typeof row === 'object' && row !== null && names.every((name) => name in row);
  return z.array(z.custom<object>(isWhole, 'lacks a field').pipe(z.object(shape)));
}

export const userSnapshot = quickly(
  snapshotOf(userFields).transform((rows): PlainUserRow[] => rows.map((row) => ({ ...row, key_count: null }))),
  (rows) => {
    const names = Object.keys(userFields);
    const isWhole = (row: unknown): boolean => isObject(row) && names.every((name) => name in row);
    if (!Array.isArray(rows) || !rows.every(isWhole)) return null;
    const users = rows.map(quickUser);
    return users.every((user) => user !== null) ? users.map((user) => ({ ...user, key_count: null })) : null;
  },
);

/** A column as it comes; `null` where this version has none: below 1.90 lists lack `organization_id` and others. */
const column = z
  .unknown()
  .optional()
  .transform((value) => value ?? null);

/** The snapshot's times as `/user/list` writes them: `2026-11-28T01:36:59.448000Z`. */
const time = column.transform((value) => {
  const [, seconds, fraction = ''] =
    /^(.{19})(?:\.(\d{1,6}))?\+00:00$/.exec(typeof value === 'string' ? value : '') ?? [];
  if (seconds === undefined) return value;
  return /[1-9]/.test(fraction) ? `${seconds}.${fraction.padEnd(6, '0')}Z` : `${seconds}Z`;
});

/** Users with columns that the proxy shows, as they come. `metadata` is reduced in any case: it may hold secrets. */
export function listedUsers(columns: readonly string[]) {
  const shape = (at: ZodType): typeof userFields => ({
    ...Object.fromEntries(columns.map((name) => [name, name.endsWith('_at') ? at : column])),
    ...userFields,
  });
  return { page: pageOf(z.object(shape(column))), snapshot: snapshotOf(shape(time)) };
}

/** One user's metadata as it is, to be merged into and written back. */
const rawMetadata = z.object({
  user_id: z.string(),
  metadata: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? {}),
});

export const metadataPage = z.object({ users: z.array(rawMetadata), total: z.number() });

export const metadataInfo = z.object({ user_info: rawMetadata.nullish() });

/** `POST /user/update`; up to 1.82 the answer holds a password hash, which is dropped here like all that is not named. */
export const updatedUser = z.object({
  user_id: z.string(),
  data: z.object({ user_email: text, user_role: text, ...limitFields }),
});

/** With the columns that were asked for. */
export type ListedRow = Omit<PlainUserRow, 'key_count'> & Readonly<Record<string, unknown>>;

/** Of `GET /user/list`, a user's own models alone. */
export const modelsPage = z.object({
  users: z.array(z.object({ user_id: z.string(), models: list })),
  total: z.number(),
});

/** `GET /user/info?user_id=` */
export const userInfo = z.object({
  user_info: userRow.nullish(),
  keys: z.array(z.unknown()).nullish(),
});

const member = z.object({ user_id: text, user_email: text, role: text });

interface Member {
  readonly user_id?: string | null | undefined;
  readonly user_email?: string | null | undefined;
  readonly role?: string | null | undefined;
}

/** As it comes: copied, a roster of 100,000 would be in memory twice. */
const roster = quickly<readonly Member[]>(z.array(member), (value) =>
  Array.isArray(value) && value.every(isMember) ? value : null,
);

function isMember(value: unknown): value is Member {
  return isObject(value) && isText(value.user_id) && isText(value.user_email) && isText(value.role);
}

/** A row of `GET /v2/team/list` and `GET /team/list`. */
export const teamRow = z.object({
  team_id: z.string(),
  team_alias: text,
  members_with_roles: roster.nullish(),
});

const budget = z.object({ max_budget: limit, budget_duration: text, tpm_limit: limit, rpm_limit: limit });

/** `GET /team/info`: budgets of its members, and the one that it gives to each. */
export const teamInfo = z.object({
  team_info: z.object({ team_member_budget_table: budget.nullish() }),
  team_memberships: z.array(z.object({ user_id: text, litellm_budget_table: budget.nullish() })),
});

export const teamPage = z.object({ teams: z.array(teamRow), total: z.number() });

export const teamRows = z.array(teamRow);

/** A row of `GET /key/list?return_full_object=true`. */
const keyRow = z.object({
  token: z.string(),
  key_name: text,
  key_alias: text,
  user_id: text,
  team_id: text,
  spend: amount,
});

export const keyPage = z.object({ keys: z.array(keyRow), total_count: z.number() });

/** `GET /key/info` */
export const keyInfo = z.object({ info: z.object({ user_id: text }) });

/** `GET /health/readiness`, where only old proxies (1.75, 1.82) name their version, and `/health/readiness/details`. */
export const readiness = z.object({ litellm_version: text });

/** `GET /openapi.json` (1 to 2 MB); the path tells LiteLLM's own description from a gateway's. */
export const openApi = z.object({
  info: z.object({ version: z.string() }),
  paths: z.object({ '/user/new': z.object({}) }),
});

/** `GET /v1/models` */
export const modelList = z.object({ data: z.array(z.object({ id: z.string() })) });

/** `POST /management/v1/users/bulk` */
export const bulkCreated = z.object({
  data: z.array(
    z.object({
      user_id: z.string(),
      success: z.boolean(),
      teams: z.array(z.string()).nullish(),
      key: text,
      error: text,
    }),
  ),
});

/** `POST /user/new` */
export const created = z.object({
  user_id: z.string(),
  teams: z.array(z.string()).nullish(),
  key: text,
  ...limitFields,
});

const result = z.object({ user_id: text, success: z.boolean(), error: text });

/** `POST /management/v1/users/bulk_delete`, `POST /management/v1/teams/{team_id}/members/bulk_delete` */
export const resultData = z.object({ data: z.array(result) });

/** `POST /user/bulk_update` */
export const resultList = z.object({
  results: z.array(
    result.extend({
      updated_user: z
        .object({ data: z.object({ user_role: text, max_budget: limit, budget_duration: text }).nullish() })
        .nullish(),
    }),
  ),
});

/** `POST /team/bulk_member_add` */
export const joined = z.object({ results: z.array(result.extend({ updated_user: z.unknown().optional() })) });

/** `POST /key/generate` */
export const generatedKey = z.object({ key: z.string() });

/** `POST /invitation/new` */
export const invitation = z.object({ id: z.string(), expires_at: z.string() });

/**
 * The body of a successful answer as `schema` reads it.
 * @throws LostWriteError where it is the unreadable answer of a write: that may well have taken effect.
 */
export function parsed<T>(answer: Answer, schema: ZodType<T>, route: string, write: boolean): T {
  const fail = (error: ProxyError): Error =>
    write ? new LostWriteError(lostReason(route, error.message), route, answer.status) : error;
  const wayOut = write ? '' : ". Is base-url the address of LiteLLM's API?";
  const unexpected = (what: string) => new UnexpectedShapeError(`${route}: ${what}${wayOut}`, route, answer.status);
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    if (isHtml(answer.text)) throw fail(htmlError(route, answer.status));
    throw fail(unexpected('the answer is not JSON'));
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw fail(unexpected(`unexpected answer, ${firstIssue(result.error)}`));
}

function firstIssue(error: ZodError): string {
  const issue = error.issues[0];
  const field = issue?.path.map(String).join('.') || 'the answer';
  return `${field}: ${issue?.message.replace(/^Invalid input: /, '') ?? 'of another shape'}`;
}
