import { VERSIONS, type Version } from '../../standin/versions.ts';

/** The versions that the contract is for. */
export const CONTRACT_VERSIONS = VERSIONS.filter((version) => version !== '1.55');

type Values<T> = Readonly<Partial<Record<Version, T>> & { '1.75': T }>;

/** A value each: that of the newest version named that is not above it. */
const from = <T>(values: Values<T>): Values<T> => values;
const since = (first: Version): Values<boolean> => ({ '1.75': false, [first]: true });
const until = (first: Version): Values<boolean> => ({ '1.75': true, [first]: false });

/** What the tests of the contract state, by version. Tried on the real proxies; the stand-in is held to the same. */
const STATEMENTS = {
  // What there is.
  managementV1: since('1.106'),
  onboardingPage: since('1.82'),
  userInfoV2: since('1.82'),
  bulkKeyUpdate: since('1.82'),
  namesRelease: until('1.90'),

  // How errors are worded.
  /** `param` of an error that LiteLLM wrapped, and of others. */
  wrappedParam: from<string | null>({ '1.75': 'None', '1.106': null }),
  otherParam: from<string | null>({ '1.75': 'None', '1.110': null }),
  /** `type` of bad input. */
  wrappedType: from({ '1.75': 'internal_server_error', '1.110': 'invalid_request_error' }),
  authType: from({ '1.75': 'auth_error', '1.110': 'invalid_request_error' }),
  unknownKeyHidden: since('1.110'),
  keyWithoutSk: from({
    '1.75': 'Authentication Error, LiteLLM Virtual Key expected. Received=wrong, ',
    '1.82': 'Authentication Error, LiteLLM Virtual Key expected. Received=****, ',
    '1.90': 'LiteLLM Virtual Key expected. Received=****, ',
  }),
  noAuthPrefix: since('1.110'),
  sortColumns: from({
    '1.75': 'user_role',
    '1.110': 'user_role, max_budget, updated_at, sso_user_id, status, key_count',
  }),
  serverErrorPrefix: from({ '1.75': 'Internal Server Error, ', '1.90': '' }),

  // Users.
  takenEmail: from({ '1.75': 400, '1.82': 409 }),
  takenIdRefused: since('1.82'),
  newUserAnswersTeams: since('1.106'),
  oneIdMeansPart: since('1.82'),
  strangerIs404: since('1.82'),
  inviterDeletable: since('1.82'),
  /** A refused `/user/delete` leaves rosters as they were, and entries of others with the same email stay. */
  deletingIsAtomic: since('1.110'),
  passwordsHidden: since('1.90'),

  // Limits.
  aliasByUpdate: since('1.82'),
  budgetCleared: since('1.82'),
  othersCleared: since('1.106'),
  periodsChecked: since('1.106'),
  negativeRateRefused: since('1.110'),

  // Teams.
  joiningLooksFirst: since('1.106'),
  membershipRecords: since('1.106'),
  rosterEmails: since('1.82'),
  joinsByAnyCase: since('1.82'),
  unknownTeamIs404: since('1.82'),
  bulkAddNamesErrors: since('1.90'),
  leavingDeletesKeys: since('1.82'),
  leavingMendsUserTeams: since('1.106'),
  deletedTeamLeavesStrays: since('1.106'),
  teamCounts: since('1.106'),

  // Keys.
  keyFormat: from({ '1.75': 'any', '1.82': 'prefix', '1.106': 'prefix and length' }),
  keysGuarded: since('1.82'),
  keyUpdateByAlias: since('1.106'),
  unblocksByHash: since('1.82'),
  deletedKeysShown: since('1.106'),
  bulkKeyUpdateClears: from({ '1.75': false, '1.82': true, '1.106': false }),
  /** What an empty `team_id` makes of a key's team. */
  emptyTeamId: from<'' | 'old'>({ '1.75': 'old', '1.82': '', '1.106': 'old' }),
  modelRefusal: from({ '1.75': 401, '1.90': 403 }),

  // Rights.
  routesDecide: since('1.82'),
  viewerReadsOthers: since('1.106'),
  viewerReadsMore: since('1.90'),
  viewerListsTeams: since('1.82'),
  shortIdsMasked: since('1.106'),
  viewerMayUpdate: from({ '1.75': 'user_email and password', '1.106': 'user_email' }),

  // Deactivation, and what counts for a key in the proxy's cache.
  deactivationEnforced: since('1.90'),
  bulkActivityAtOnce: since('1.106'),
  bulkRoleAtOnce: since('1.110'),
  deletedKeysDieAtOnce: since('1.106'),
};

type Statements = typeof STATEMENTS;

/** The statements of one version. */
export type Truth = { readonly [Name in keyof Statements]: Statements[Name] extends Values<infer T> ? T : never };

export function truthOf(version: Version): Truth {
  const reached = VERSIONS.slice(1, Math.max(1, VERSIONS.indexOf(version)) + 1).reverse();
  const current = (values: Values<unknown>) => values[reached.find((step) => step in values) ?? '1.75'];
  return Object.fromEntries(Object.entries(STATEMENTS).map(([name, values]) => [name, current(values)])) as Truth;
}

/** An HTTPException that a route wrapped, as the version words it. */
export function wrapped(is: Truth, status: number, error: string) {
  const quoted = error.includes("'") ? `"${error}"` : `'${error}'`;
  return { message: `{'error': ${quoted}}`, type: is.wrappedType, param: is.wrappedParam, code: String(status) };
}
