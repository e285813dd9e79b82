import type { Route } from './context.ts';
import { deleteUsers } from './user-delete.ts';
import { spendOfUsers, userInfo, userInfoV2 } from './user-info.ts';
import { listUsers } from './user-list.ts';
import { newUser, USER_FIELDS } from './user-new.ts';
import { bulkUpdate, UPDATE, updateUser } from './user-update.ts';
import { list, object, optional, required, text } from './validate.ts';

export const userRoutes: readonly Route[] = [
  { method: 'GET', path: '/user/list', access: 'key', answer: listUsers },
  { method: 'POST', path: '/user/new', access: 'admin-write', body: object(USER_FIELDS), answer: newUser },
  {
    method: 'POST',
    path: '/user/update',
    access: 'admin-write',
    body: UPDATE,
    answer: updateUser,
  },
  {
    method: 'POST',
    path: '/user/bulk_update',
    access: 'admin-write',
    body: object({ users: optional(list(UPDATE)) }),
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
    since: (behaviour) => behaviour.userInfoV2,
  },
  { method: 'GET', path: '/spend/users', access: 'key', answer: spendOfUsers },
];
