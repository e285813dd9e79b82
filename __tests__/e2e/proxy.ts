import { setTimeout as sleep } from 'node:timers/promises';
import { send, sendJson } from './http.ts';

export interface SeedUser {
  readonly email: string;
  readonly role: string;
  /** Names of teams. */
  readonly teams: readonly string[];
  /** A key for this user: `''` a personal one, else of this team. */
  readonly key?: string;
}

interface User {
  readonly user_id: string;
  readonly user_email: string | null;
  readonly user_role: string | null;
  readonly teams: readonly string[] | null;
}

interface Team {
  readonly team_id: string;
  readonly team_alias: string;
  readonly members_with_roles: readonly { readonly user_id: string | null }[];
}

export interface Key {
  readonly key_alias: string | null;
  readonly key_name: string;
  readonly team_id: string | null;
}

/** A user as everything outside sees them: role, teams by their own record, teams by their rosters. */
export interface Seen {
  readonly userId: string;
  readonly role: string | null;
  readonly teams: readonly string[];
  readonly rosters: readonly string[];
}

/** Of a page, and of a bulk call on the safe side. */
const MOST = 100;
/** Nobody's to manage: the proxy's own. */
const PROXY_USER = 'default_user_id';

/** What an administrator of the proxy does, and what anybody may see there. By the API, nothing of the action's own. */
export class ProxyAdmin {
  readonly url: string;
  readonly masterKey: string;

  constructor(url: string, masterKey: string) {
    this.url = url;
    this.masterKey = masterKey;
  }

  call<T = unknown>(method: string, path: string, body?: unknown, key = this.masterKey): Promise<T> {
    return sendJson<T>({ url: this.url + path, method, authorization: `Bearer ${key}`, body });
  }

  /** Nobody but the proxy's own user, no team. */
  async empty(): Promise<void> {
    const users = (await this.users()).filter(({ user_id }) => user_id !== PROXY_USER);
    for (let at = 0; at < users.length; at += MOST) {
      const ids = users.slice(at, at + MOST).map(({ user_id }) => user_id);
      await this.call('POST', '/management/v1/users/bulk_delete', { user_ids: ids });
    }
    const teams = (await this.teams()).map(({ team_id }) => team_id);
    if (teams.length > 0) await this.call('POST', '/team/delete', { team_ids: teams });
  }

  async createTeams(names: readonly string[]): Promise<void> {
    for (const name of names) await this.call('POST', '/team/new', { team_alias: name });
  }

  /** Creates users, with a key each where `key` says so. */
  async createUsers(seeds: readonly SeedUser[]): Promise<void> {
    const ids = await this.teamIds();
    for (let at = 0; at < seeds.length; at += MOST) {
      const part = seeds.slice(at, at + MOST);
      const users = part.map(({ email, role, teams }) => ({
        user_email: email,
        user_role: role,
        teams: teams.map((name) => ids.get(name)),
        auto_create_key: false,
      }));
      const { data } = await this.call<{ data: { success: boolean; user_id: string; error: unknown }[] }>(
        'POST',
        '/management/v1/users/bulk',
        { users },
      );
      const bad = data.filter(({ success, error }) => !success || error);
      if (bad.length > 0) throw new Error(`Not created as wanted: ${JSON.stringify(bad[0])}`);
      for (const [index, { key }] of part.entries()) {
        if (key === undefined) continue;
        const team = key === '' ? {} : { team_id: ids.get(key) };
        await this.call('POST', '/key/generate', { user_id: data[index]?.user_id, ...team });
      }
    }
  }

  /** The key of a viewer without an email: enough to plan, and in no list of users. */
  async createViewer(): Promise<string> {
    const { key } = await this.call<{ key: string }>('POST', '/user/new', {
      user_id: 'user-sync-viewer',
      user_role: 'proxy_admin_viewer',
    });
    return key;
  }

  async users(): Promise<User[]> {
    const found: User[] = [];
    for (let page = 1; ; page++) {
      const query = `page=${page}&page_size=${MOST}&sort_by=user_id&sort_order=asc`;
      const part = await this.call<{ users: User[]; total_pages: number }>('GET', `/user/list?${query}`);
      found.push(...part.users);
      if (page >= part.total_pages) return found;
    }
  }

  async teams(): Promise<Team[]> {
    return (await this.call<{ teams: Team[] }>('GET', '/v2/team/list?page=1&page_size=100')).teams;
  }

  async teamIds(): Promise<Map<string, string>> {
    return new Map((await this.teams()).map(({ team_alias, team_id }) => [team_alias, team_id]));
  }

  /** Everybody with an email, by email. */
  async people(): Promise<ReadonlyMap<string, Seen>> {
    const [users, teams] = await Promise.all([this.users(), this.teams()]);
    const names = new Map(teams.map(({ team_id, team_alias }) => [team_id, team_alias]));
    const people = users.flatMap((user): [string, Seen][] => {
      if (!user.user_email) return [];
      const inRoster = teams.filter((team) => team.members_with_roles.some(({ user_id }) => user_id === user.user_id));
      const seen = {
        userId: user.user_id,
        role: user.user_role,
        teams: (user.teams ?? []).map((id) => names.get(id) ?? id).sort(),
        rosters: inRoster.map(({ team_alias }) => team_alias).sort(),
      };
      return [[user.user_email, seen]];
    });
    return new Map(people.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** All of it in one text, to compare before and after. */
  async picture(): Promise<string> {
    return JSON.stringify([...(await this.people())], null, 1);
  }

  async deleteUser(email: string): Promise<void> {
    const userId = (await this.people()).get(email)?.userId;
    await this.call('POST', '/management/v1/users/bulk_delete', { user_ids: [userId] });
  }

  async setRole(email: string, role: string): Promise<void> {
    await this.call('POST', '/user/update', { user_id: (await this.people()).get(email)?.userId, user_role: role });
  }

  async keysOf(userId: string): Promise<Key[]> {
    const query = `user_id=${userId}&return_full_object=true&page=1&size=100`;
    return (await this.call<{ keys: Key[] }>('GET', `/key/list?${query}`)).keys;
  }

  /** What the proxy says of a key to whoever holds it. */
  async keyInfo(key: string): Promise<{ user_id: string; team_id: string | null; key_alias: string | null }> {
    return (await this.call<{ info: never }>('GET', '/key/info', undefined, key)).info;
  }

  /** Asks the model with a key; gives its answer. */
  async chat(key: string): Promise<string> {
    const body = { model: 'fake-model', messages: [{ role: 'user', content: 'hello' }] };
    const answer = await this.call<{ choices: { message: { content: string } }[] }>(
      'POST',
      '/v1/chat/completions',
      body,
      key,
    );
    return answer.choices[0]?.message.content ?? '';
  }

  /** Whether somebody can log in to the proxy's pages with a password. */
  async canLogIn(username: string, password: string): Promise<boolean> {
    const response = await fetch(`${this.url}/v2/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
    return response.status === 200;
  }

  async isUp(): Promise<boolean> {
    for (let tries = 0; tries < 20; tries++, await sleep(500)) {
      const url = `${this.url}/health/readiness`;
      if (
        await send({ url, method: 'GET', authorization: '' }).then(
          () => true,
          () => false,
        )
      )
        return true;
    }
    return false;
  }
}
