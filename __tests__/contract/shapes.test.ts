import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Version } from '../../standin/versions.ts';
import type { Api } from './api.ts';
import type { Truth } from './statements.ts';
import { contract } from './suite.ts';

/**
 * Every field of an answer with its type, by path; `[]` stands for the elements of a list, of which it is `null` where
 * it is `null` in all of them: their order is the database's.
 */
type Shape = Record<string, string>;

/** Shapes of a version's answers; with `--update=all`, this file alone against the real proxy writes them. */
const fileOf = (version: Version) => fileURLToPath(new URL(`shapes/${version}.json`, import.meta.url));

/** An answer is its types, each with all the paths that are of it. */
function written(shapes: Record<string, Shape>): string {
  const answers = Object.entries(shapes).map(([name, shape]) => {
    const types = [...new Set(Object.values(shape))].sort();
    const pathsOf = (type: string) => Object.keys(shape).filter((path) => shape[path] === type);
    return [name, Object.fromEntries(types.map((type) => [type, pathsOf(type).join(' ')]))];
  });
  return `${JSON.stringify(Object.fromEntries(answers), null, 2)}\n`;
}

function read(version: Version): Record<string, Shape> {
  const answers: Record<string, Record<string, string>> = JSON.parse(readFileSync(fileOf(version), 'utf8'));
  return Object.fromEntries(Object.entries(answers).map(([name, types]) => [name, shapeIn(types)]));
}

function shapeIn(types: Record<string, string>): Shape {
  const entries = Object.entries(types).flatMap(([type, paths]) => paths.split(' ').map((path) => [path, type]));
  return Object.fromEntries(entries);
}

function shapeOf(value: unknown, path = ''): Shape {
  if (Array.isArray(value)) {
    return merged({ [path]: 'list' }, ...value.map((element) => shapeOf(element, `${path}[]`)));
  }
  if (typeof value !== 'object' || value === null) return { [path]: value === null ? 'null' : typeof value };
  const fields = Object.entries(value).map(([name, field]) => shapeOf(field, `${path}.${name}`));
  return Object.assign({ [path]: 'object' }, ...fields);
}

function merged(...shapes: readonly Shape[]): Shape {
  const all: Shape = {};
  for (const [path, type] of shapes.flatMap((shape) => Object.entries(shape))) {
    if (type !== 'null' || !(path in all)) all[path] = type;
  }
  return all;
}

/** The answers that a client reads, of one small company. */
async function walk(api: Api, is: Truth): Promise<Record<string, Shape>> {
  const shapes: Record<string, Shape> = {};
  const note = (name: string, body: unknown) => {
    shapes[name] = Object.fromEntries(Object.entries(shapeOf(body)).sort());
    return body as { [name: string]: never };
  };
  const post = async (path: string, body: object) => note(`POST ${path}`, await api.ok(path, body));
  const get = async (path: string) => note(`GET ${path.replace(/=.*/, '')}`, (await api.get(path)).body);
  await post('/team/new', { team_id: 't', team_alias: 'team' });
  await post('/user/new', { user_id: 'a', user_email: 'a@example.com', user_role: 'internal_user', teams: ['t'] });
  const second = { user_id: 'b', user_email: 'b@example.com', auto_create_key: true };
  if (is.managementV1) await post('/management/v1/users/bulk', { users: [second] });
  else await api.ok('/user/new', second);
  await api.makeUser('c');
  const { key } = await post('/key/generate', { user_id: 'a', team_id: 't', key_alias: 'k' });
  await post('/key/update', { key, key_alias: 'l' });
  await post('/key/block', { key });
  await post('/key/unblock', { key });
  if (is.bulkKeyUpdate) await post('/key/bulk_update', { keys: [{ key, team_id: 't' }] });
  await post('/user/update', { user_id: 'a', user_role: 'internal_user_viewer' });
  await post('/user/bulk_update', { users: [{ user_id: 'a', user_role: 'internal_user' }] });
  await post('/team/member_add', { team_id: 't', member: { user_id: 'b', role: 'user' } });
  await post('/team/bulk_member_add', { team_id: 't', members: [{ user_id: 'c', role: 'user' }] });
  const { id } = await post('/invitation/new', { user_id: 'a' });
  await get(`/invitation/info?invitation_id=${id}`);
  await get('/user/list?user_ids=a,b');
  await get('/user/info?user_id=a');
  if (is.userInfoV2) await get('/v2/user/info?user_id=a');
  await get('/spend/users');
  await get('/spend/users?user_id=a');
  await get('/team/list');
  await get('/v2/team/list');
  await get('/team/info?team_id=t');
  await get('/key/list?return_full_object=true');
  await get(`/key/info?key=${key}`);
  await post('/team/member_delete', { team_id: 't', user_id: 'b' });
  if (is.managementV1) await post('/management/v1/teams/t/members/bulk_delete', { members: [{ user_id: 'c' }] });
  await post('/key/delete', { keys: [key] });
  await post('/invitation/delete', { invitation_id: id });
  await post('/user/delete', { user_ids: ['a'] });
  if (is.managementV1) await post('/management/v1/users/bulk_delete', { user_ids: ['b'] });
  await post('/team/delete', { team_ids: ['t'] });
  return shapes;
}

contract('shapes', (api, target, is) => {
  test('the stand-in answers with real fields of the real type; the real proxy with all of them', async () => {
    const shapes = await walk(api(), is);
    const { state, version } = target();
    if (state === null) await expect(written(shapes)).toMatchFileSnapshot(fileOf(version));
    else expect(read(version)).toMatchObject(shapes);
  });
});
