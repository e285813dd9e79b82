import { didYouMean } from './did-you-mean.ts';
import { hasEmail, ROLES } from './inventory.ts';
import { hasInternalRole } from './scope.ts';

/** What `list` shows when no columns are asked for. */
const DEFAULT_COLUMNS = ['user_id', 'user_email', 'user_role', 'teams', 'created_at', 'updated_at'] as const;

/** Every column there is: a list of what may be seen, so that no new field of the proxy shows a secret by itself. */
const COLUMNS = [
  ...DEFAULT_COLUMNS,
  'models',
  'max_budget',
  'spend',
  'user_alias',
  'key_count',
  'budget_duration',
  'budget_reset_at',
  'tpm_limit',
  'rpm_limit',
  'max_parallel_requests',
  'sso_user_id',
  'organization_id',
  'team_ids',
] as const;

/** The manual's roles, and the others that the proxy itself knows. Source: `LitellmUserRoles`. */
const LISTED_ROLES = [...ROLES, 'default', 'user', 'end_user', 'org_admin', 'team', 'customer'] as const;

export interface ListQuery {
  readonly columns: readonly string[];
  /** `null`: every role that `showAll` lets through. */
  readonly role: string | null;
  /** Lower case; blank: any. */
  readonly emailLike: string;
  /** Also users without email or without an internal role. */
  readonly showAll: boolean;
}

/** A user as far as the filters look at them. */
export interface Listed {
  readonly email: string | null;
  readonly role: string | null;
}

/** @returns the query, or a message for each input that is wrong */
export function listQuery(inputs: {
  readonly role: string;
  readonly emailLike: string;
  readonly columns: string;
  readonly showAll: boolean;
}): ListQuery | { readonly problems: readonly string[] } {
  const columns = inputs.columns.split(',').flatMap((name) => name.trim() || []);
  const problems = [...unknownColumns(columns), ...unknownRole(inputs.role)];
  if (problems.length > 0) return { problems };
  return {
    columns: columns.length === 0 ? DEFAULT_COLUMNS : [...new Set(columns)],
    role: inputs.role === '' ? null : inputs.role,
    emailLike: inputs.emailLike.toLowerCase(),
    showAll: inputs.showAll,
  };
}

function unknownColumns(columns: readonly string[]): string[] {
  return columns
    .filter((name) => !(COLUMNS as readonly string[]).includes(name))
    .map((name) => `Input \`columns\` has \`${name}\`; allowed: ${COLUMNS.join(', ')}.${didYouMean(name, COLUMNS)}`);
}

function unknownRole(role: string): string[] {
  if (role === '' || (LISTED_ROLES as readonly string[]).includes(role)) return [];
  return [`Input \`role\` is \`${role}\`; allowed: ${LISTED_ROLES.join(', ')}.${didYouMean(role, LISTED_ROLES)}`];
}

/** Whether a user is shown. A role that is asked for by name is shown though it is no internal one. */
export function isListed(user: Listed, query: ListQuery): boolean {
  const { email, role } = user;
  if (!query.showAll && !hasEmail(user)) return false;
  if (query.emailLike !== '' && !(email ?? '').toLowerCase().includes(query.emailLike)) return false;
  if (query.role === null) return query.showAll || hasInternalRole({ role });
  return query.role === (role || 'default');
}
