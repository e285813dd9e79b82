import { randomUUID } from 'node:crypto';
import type { AuthCache } from './auth-cache.ts';
import type { State } from './state.ts';
import type { Caller, InternalUserBudget, NewUserDefaults } from './types.ts';
import type { Body, Check } from './validate.ts';
import type { Behaviour } from './versions.ts';

/** What a route works on. */
export interface Call {
  readonly state: State;
  readonly behaviour: Behaviour;
  readonly caller: Caller;
  /** Scheme, host and root path that the request came by. */
  readonly origin: string;
  readonly query: URLSearchParams;
  readonly body: Body;
  /** Variable parts of the path, in order. */
  readonly params: readonly string[];
  readonly licenseSeats: number | null;
  readonly newUserDefaults: NewUserDefaults;
  readonly internalUserBudget: InternalUserBudget;
  /** Names of the models that the proxy serves. */
  readonly models: readonly string[];
  readonly cache: AuthCache;
}

/** A body, or a whole answer where status or type differ from 200 JSON. */
export class Reply {
  readonly status: number;
  /** A text is sent as it is unless it is JSON; `null`: no body at all. */
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>>) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** Who may call: everybody, whoever has a key (the route decides on), or only the roles that administer. */
export type Access = 'public' | 'key' | 'admin-read' | 'admin-write';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** `{…}` stands for one variable part. */
  readonly path: string;
  readonly access: Access;
  /** Check of the body; without one the route takes none. */
  readonly body?: Check;
  /** Returns the body of a 200, or a {@link Reply}. */
  readonly answer: (call: Call) => unknown;
  /** Whether this version has the route; all do when missing. */
  readonly since?: (behaviour: Behaviour) => boolean;
}

/** The user id that the master key acts as. */
export const MASTER_USER_ID = 'default_user_id';

export function newId(): string {
  return randomUUID();
}

/** A text of the body; `null` where missing. The body was checked before. */
export function textOf(body: Body, name: string): string | null {
  const value = body[name];
  return typeof value === 'string' ? value : null;
}

export function numberOf(body: Body, name: string): number | null {
  const value = body[name];
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : null;
}

export function textsOf(body: Body, name: string): string[] {
  const value = body[name];
  return Array.isArray(value) ? value.map(String) : [];
}

export function objectsOf(body: Body, name: string): Body[] {
  const value = body[name];
  return Array.isArray(value) ? (value as Body[]) : [];
}

/** Team ids of a `teams` field, which holds ids or objects; `null` where missing. */
export function teamIdsOf(body: Body): string[] | null {
  const value = body.teams;
  if (!Array.isArray(value)) return null;
  return value.map((team) => (typeof team === 'string' ? team : String((team as Body).team_id)));
}
