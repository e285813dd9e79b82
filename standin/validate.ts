import { isRole } from '../src/core/inventory.ts';
import { problem, Refusal } from './refusal.ts';
import type { Behaviour } from './versions.ts';

/** One complaint as pydantic words it. */
export interface Issue {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
}

type Loc = Issue['loc'];
export type Check = (value: unknown, loc: Loc, behaviour: Behaviour) => Issue[];
export type Body = Record<string, unknown>;

const ROLE_MESSAGE =
  "Input should be <LitellmUserRoles.PROXY_ADMIN: 'proxy_admin'>, <LitellmUserRoles.PROXY_ADMIN_VIEW_ONLY: 'proxy_admin_viewer'>, <LitellmUserRoles.INTERNAL_USER: 'internal_user'> or <LitellmUserRoles.INTERNAL_USER_VIEW_ONLY: 'internal_user_viewer'>";

const issue = (type: string, loc: Loc, msg: string): Issue[] => [{ type, loc, msg }];

export const text: Check = (value, loc) =>
  typeof value === 'string' ? [] : issue('string_type', loc, 'Input should be a valid string');

export const flag: Check = (value, loc) =>
  typeof value === 'boolean'
    ? []
    : issue('bool_parsing', loc, 'Input should be a valid boolean, unable to interpret input');

export const role: Check = (value, loc) =>
  typeof value === 'string' && isRole(value) ? [] : issue('literal_error', loc, ROLE_MESSAGE);

/** A number, or a text that is one. */
export const number: Check = (value, loc) => {
  if (typeof value === 'string' && (value.trim() === '' || Number.isNaN(Number(value)))) {
    return issue('float_parsing', loc, 'Input should be a valid number, unable to parse string as a number');
  }
  return typeof value === 'string' || typeof value === 'number'
    ? []
    : issue('float_type', loc, 'Input should be a valid number');
};

export const whole: Check = (value, loc, behaviour) => {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    return issue('int_from_float', loc, 'Input should be a valid integer, got a number with a fractional part');
  }
  if (number(value, loc, behaviour).length === 0 && Number.isInteger(Number(value))) return [];
  return issue('int_parsing', loc, 'Input should be a valid integer, unable to parse string as an integer');
};

/** Tokens or requests a minute. */
export const rate: Check = (value, loc, behaviour) => {
  const issues = whole(value, loc, behaviour);
  if (issues.length > 0 || !behaviour.negativeRatesRefused || Number(value) >= 0) return issues;
  return issue('greater_than_equal', loc, 'Input should be greater than or equal to 0');
};

export const dictionary: Check = (value, loc) =>
  typeof value === 'object' && !Array.isArray(value)
    ? []
    : issue('dict_type', loc, 'Input should be a valid dictionary');

export const anything: Check = () => [];

export function optional(check: Check): Check {
  return (value, loc, behaviour) => (value === undefined || value === null ? [] : check(value, loc, behaviour));
}

export function required(check: Check): Check {
  return (value, loc, behaviour) =>
    value === undefined ? issue('missing', loc, 'Field required') : check(value, loc, behaviour);
}

/** `noun`: `Value`, `List` or `Tuple`, as pydantic says it of this field. */
export function list(item: Check, bounds: { min?: number; max?: number; noun?: string } = {}): Check {
  const { min = 0, max = Number.POSITIVE_INFINITY, noun = 'Value' } = bounds;
  return (value, loc, behaviour) => {
    if (!Array.isArray(value)) return issue('list_type', loc, 'Input should be a valid list');
    const found = `items after validation, not ${value.length}`;
    if (value.length > max) return issue('too_long', loc, `${noun} should have at most ${max} ${found}`);
    if (value.length < min) return issue('too_short', loc, `${noun} should have at least ${min} item${found.slice(5)}`);
    return value.flatMap((entry, index) => item(entry, [...loc, index], behaviour));
  };
}

/** Team ids, or objects with a `team_id`: pydantic complains of both forms. */
export const teams: Check = (value, loc) => {
  if (Array.isArray(value)) return [];
  const complaint = 'Input should be a valid list';
  return [
    ...issue('list_type', [...loc, 'list[str]'], complaint),
    ...issue('list_type', [...loc, 'list[NewUserRequestTeam]'], complaint),
  ];
};

/** `closed`: an unknown field is refused; otherwise it is dropped silently. */
export function object(fields: Record<string, Check>, rules: { closed?: boolean; rule?: Check } = {}): Check {
  return (value, loc, behaviour) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return issue('model_attributes_type', loc, 'Input should be a valid dictionary or object to extract fields from');
    }
    const body = value as Body;
    const known = Object.entries(fields).flatMap(([name, check]) => check(body[name], [...loc, name], behaviour));
    const unknown = rules.closed ? Object.keys(body).filter((name) => !(name in fields)) : [];
    const extra = unknown.flatMap((name) => issue('extra_forbidden', [...loc, name], 'Extra inputs are not permitted'));
    const issues = [...known, ...extra];
    return issues.length > 0 || rules.rule === undefined ? issues : rules.rule(value, loc, behaviour);
  };
}

/** A rule over a whole object, worded as pydantic words a ValueError. */
export function rule(holds: (body: Body) => boolean, message: string): Check {
  return (value, loc) => (holds(value as Body) ? [] : issue('value_error', loc, `Value error, ${message}`));
}

export const namesUser = rule(
  (body) => (body.user_id ?? null) !== null || (body.user_email ?? null) !== null,
  'Either user id or user email must be provided',
);

/** 422 in FastAPI's shape, or problem+json on `/management/v1`. */
export function refuseIssues(issues: readonly Issue[], managementV1: boolean): void {
  if (issues.length === 0) return;
  if (!managementV1) throw new Refusal(422, { detail: issues });
  const lines = issues.map(({ loc, msg }) => `${loc.slice(1).join('.')}: ${msg}`);
  throw problem(422, 'invalid-request-body', 'Invalid request body', lines.join('; '));
}

/** A whole number of the query, or complaints. */
function integer(
  query: URLSearchParams,
  name: string,
  fallback: number,
  max = Number.POSITIVE_INFINITY,
): Issue[] | number {
  const given = query.get(name);
  if (given === null) return fallback;
  const loc = ['query', name];
  if (!/^[+-]?\d+$/.test(given.trim())) {
    return issue('int_parsing', loc, 'Input should be a valid integer, unable to parse string as an integer');
  }
  const value = Number(given);
  if (value < 1) return issue('greater_than_equal', loc, 'Input should be greater than or equal to 1');
  if (value > max) return issue('less_than_equal', loc, `Input should be less than or equal to ${max}`);
  return value;
}

export interface Page {
  readonly page: number;
  readonly size: number;
}

/** Page and page size of a list; 422 with every complaint at once. */
export function pageOf(query: URLSearchParams, sizeName: string, defaultSize: number): Page {
  const page = integer(query, 'page', 1);
  const size = integer(query, sizeName, defaultSize, 100);
  if (typeof page === 'number' && typeof size === 'number') return { page, size };
  const issues = [page, size].flatMap((found) => (typeof found === 'number' ? [] : found));
  throw new Refusal(422, { detail: issues });
}

export function slice<T>(rows: readonly T[], { page, size }: Page): readonly T[] {
  return rows.slice((page - 1) * size, page * size);
}

export function booleanOf(query: URLSearchParams, name: string): boolean {
  const given = query.get(name)?.toLowerCase();
  if (given === undefined) return false;
  if (['true', '1', 'yes', 'on', 't', 'y'].includes(given)) return true;
  if (['false', '0', 'no', 'off', 'f', 'n'].includes(given)) return false;
  const message = 'Input should be a valid boolean, unable to interpret input';
  throw new Refusal(422, { detail: issue('bool_parsing', ['query', name], message) });
}
