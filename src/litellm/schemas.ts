import { z } from 'zod';

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

/** A row of `GET /user/list`. */
const userRow = z.object({
  user_id: z.string(),
  user_email: text,
  user_role: text,
  teams: list,
  key_count: amount,
  spend: amount,
});

export const userPage = z.object({ users: z.array(userRow), total: z.number() });

/** With every field that the proxy gives, for `list`. */
export const wideUserPage = z.object({ users: z.array(userRow.loose()), total: z.number() });

export type UserRow = z.output<typeof wideUserPage>['users'][number];

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

/** A row of `GET /v2/team/list` and `GET /team/list`. */
export const teamRow = z.object({
  team_id: z.string(),
  team_alias: text,
  members_with_roles: z.array(z.object({ user_id: text })).nullish(),
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

/** `GET /health/readiness`; only old proxies name their version. */
export const readiness = z.object({ litellm_version: z.string().nullish() });

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
export const created = z.object({ user_id: z.string(), teams: z.array(z.string()).nullish(), key: text });

const result = z.object({ user_id: text, success: z.boolean(), error: text });

/** `POST /management/v1/users/bulk_delete`, `POST /management/v1/teams/{team_id}/members/bulk_delete` */
export const resultData = z.object({ data: z.array(result) });

/** `POST /user/bulk_update` */
export const resultList = z.object({
  results: z.array(
    result.extend({ updated_user: z.object({ data: z.object({ user_role: text }).nullish() }).nullish() }),
  ),
});

/** `POST /team/bulk_member_add` */
export const joined = z.object({ results: z.array(result.extend({ updated_user: z.unknown().optional() })) });

/** `POST /key/generate` */
export const generatedKey = z.object({ key: z.string() });

/** `POST /invitation/new` */
export const invitation = z.object({ id: z.string(), expires_at: z.string() });
