import type { Route } from './context.ts';
import { deleteUsers } from './user-delete.ts';
import { userInfo, userInfoV2 } from './user-info.ts';
import { listUsers } from './user-list.ts';
import { newUser, USER_FIELDS } from './user-new.ts';
import { bulkUpdate, updateUser } from './user-update.ts';
import { list, namesUser, object, optional, required, role, text } from './validate.ts';

const update = object(
  { user_id: optional(text), user_email: optional(text), user_role: optional(role) },
  { rule: namesUser },
);

export const userRoutes: readonly Route[] = [
  { method: 'GET', path: '/user/list', access: 'key', answer: listUsers },
  { method: 'POST', path: '/user/new', access: 'admin-write', body: object(USER_FIELDS), answer: newUser },
  {
    method: 'POST',
    path: '/user/update',
    access: 'admin-write',
    body: update,
    answer: ({ body, ...call }) => updateUser(call, body),
  },
  {
    method: 'POST',
    path: '/user/bulk_update',
    access: 'admin-write',
    body: object({ users: optional(list(update)) }),
    answer: bulkUpdate,
    since: (behaviour) => behaviour.classicBulk,
  },
  {
    method: 'POST',
    path: '/user/delete',
    access: 'admin-write',
    body: object({ user_ids: required(list(text)) }),
    answer: deleteUsers,
  },
  { method: 'GET', path: '/user/info', access: 'key', answer: userInfo },
  {
    method: 'GET',
    path: '/v2/user/info',
    access: 'key',
    answer: userInfoV2,
    since: (behaviour) => behaviour.managementV1,
  },
];
