/** What the stand-in can speak as, oldest first: each tried on the real proxy of the release that {@link FACTS} names. */
export const VERSIONS = ['1.55', '1.75', '1.82', '1.90', '1.106', '1.110'] as const;

export type Version = (typeof VERSIONS)[number];

/** A value for each version: that of the newest one named that is not above it. */
type Steps<T> = Readonly<Partial<Record<Version, T>> & { '1.55': T }>;

const since = (version: Version): Steps<boolean> => ({ '1.55': false, [version]: true });
const until = (version: Version): Steps<boolean> => ({ '1.55': true, [version]: false });
const steps = <T>(values: Steps<T>): Steps<T> => values;

/** Where the versions differ, one fact a line. */
const FACTS = {
  release: steps<string>({
    '1.55': '1.55.8',
    '1.75': '1.75.8',
    '1.82': '1.82.6',
    '1.90': '1.90.7',
    '1.106': '1.106.2',
    '1.110': '1.110.2',
  }),
  /** `/health/readiness` names the release, and its status is `connected` or `healthy`. */
  readinessNamesRelease: until('1.90'),
  readinessDetails: since('1.90'),
  readinessStatus: steps<string>({ '1.55': 'connected', '1.82': 'healthy' }),

  // Routes.
  managementV1: since('1.106'),
  userInfoV2: since('1.82'),
  onboardingPage: since('1.82'),
  /** `/user/bulk_update`, `/team/bulk_member_add`, `/v2/team/list`. */
  classicBulk: since('1.75'),
  bulkKeyUpdate: since('1.82'),

  // Errors: how they are worded.
  /** A missing `param` is `null` where LiteLLM wrapped an error of its own, and everywhere. */
  nullParams: since('1.106'),
  nullParamsEverywhere: since('1.110'),
  /** Prefixes of a 500 and of an error that the check of a key met. */
  namesServerErrors: until('1.90'),
  maskedKeys: since('1.82'),
  /** User ids of eight characters and less are masked, too. */
  shortIdsMasked: since('1.106'),

  // Users.
  /** Role of `default_user_id`; on 1.55 a proxy_admin who is there from the start, else made with the first team. */
  masterUserRole: steps<'internal_user' | 'proxy_admin'>({ '1.55': 'proxy_admin', '1.75': 'internal_user' }),
  /** Status of `/user/new` with an email that is taken; `null`: a second user. */
  duplicateEmail: steps<409 | 400 | null>({ '1.55': null, '1.75': 400, '1.82': 409 }),
  /** Else 200, the old user unchanged. */
  duplicateIdRefused: since('1.82'),
  /** Else `teams` of `/user/new` is stored in `user.teams` as it comes, rosters untouched. */
  newUserJoinsRosters: since('1.75'),
  newUserAnswersTeams: since('1.106'),
  passwordRefused: since('1.106'),
  /** `/user/list` knows sort and filter by email. */
  sortedUserList: since('1.75'),
  moreSortColumns: since('1.110'),
  /** One id in `user_ids` of `/user/list` means all that contain it. */
  oneIdMeansPart: since('1.82'),
  /** `/user/list` and the joining of teams show every column of a user. */
  fullUserList: since('1.90'),
  /** Else `/spend/users`, `/user/info` and `/user/update` answer with it, and `/spend/users` to everybody. */
  passwordsHidden: since('1.90'),
  unknownUserRefused: since('1.82'),
  /** Else a plain 500 for whoever issued an invitation that is still there. */
  inviterDeletable: since('1.82'),
  deletingCleansRosters: since('1.75'),
  /** `/user/delete` checks all ids first, and takes roster entries by user id alone. */
  deletingIsAtomic: since('1.110'),

  // Limits.
  aliasByUpdate: since('1.82'),
  budgetCleared: since('1.82'),
  periodAndRatesCleared: since('1.106'),
  periodsChecked: since('1.106'),
  negativeRatesRefused: since('1.110'),
  keyPeriodChecked: steps<'as an expiry' | 'no' | 'yes'>({ '1.55': 'as an expiry', '1.82': 'no', '1.106': 'yes' }),

  // Teams.
  /** Else a plain 500 of `/team/member_add`, 400 of `/key/update`. */
  unknownTeamIs404: since('1.82'),
  /** Whether `/team/member_add` refuses who stands in the roster already. */
  duplicateMemberRefused: since('1.75'),
  /** Else joining adds the team to `user.teams` even where it stands there, and of several members also to known ones'. */
  joiningLooksFirst: since('1.106'),
  /** Whether there is a third record of every membership (`team_memberships`), not only of those with a budget. */
  membershipRecords: since('1.106'),
  /** Whether a roster entry made by user id gets the user's email, and is not made where that email stands. */
  rosterEmails: since('1.82'),
  bulkMemberErrorsNamed: since('1.90'),
  /** `/team/member_add` by email knows a user whose email is in other letters. */
  joinsByAnyCase: since('1.82'),
  /** Whose `user.teams` a deleted team leaves: everybody's, those of its roster, or nobody's. */
  deletedTeamLeaves: steps<'everybody' | 'roster' | 'nobody'>({
    '1.55': 'nobody',
    '1.75': 'roster',
    '1.106': 'everybody',
  }),
  /** Whether leaving a team deletes the user's keys of that team. */
  leavingDeletesKeys: since('1.82'),
  /** Else a team that stands in `user.teams` twice stays there once. */
  leavingClearsAll: since('1.106'),
  /** Whether `/team/member_delete` takes a team off `user.teams` where the roster lacks the user. */
  leavingMendsUserTeams: steps<boolean>({ '1.55': true, '1.75': false, '1.106': true }),
  teamCounts: since('1.106'),

  // Keys.
  fullKeyList: since('1.75'),
  keyFormat: steps<'any' | 'prefix' | 'prefix and length'>({
    '1.55': 'any',
    '1.82': 'prefix',
    '1.106': 'prefix and length',
  }),
  /** `/key/update` names the key by its alias, too. */
  keyUpdateByAlias: since('1.106'),
  /** Else 401, and whoever has a key may change and block everybody's. */
  keysGuarded: since('1.82'),
  unblocksByHash: since('1.82'),
  deletedKeysShown: since('1.106'),
  /** An item of `/key/bulk_update` writes all that it can hold: what it lacks is cleared. */
  bulkKeyUpdateClears: steps<boolean>({ '1.55': false, '1.82': true, '1.106': false }),
  /** `/key/update` with `team_id: ""`: of a key with a team; stored, it is a 500 for a key without. */
  emptyTeamId: steps<'refused' | 'stored' | 'ignored'>({ '1.55': 'refused', '1.82': 'stored', '1.106': 'ignored' }),
  modelRefusal: steps<401 | 403>({ '1.55': 401, '1.90': 403 }),
  modelRefusalNamesTeam: until('1.106'),
  /** How `Key is blocked` goes on. */
  blockedKeyHint: steps<string>({ '1.55': "you're admin.", '1.82': "you're an admin." }),

  // Rights.
  /** Else `/user/list` and the routes of invitations are for administrators, whatever they would say themselves. */
  routesDecide: since('1.82'),
  /** Whether a `proxy_admin_viewer` reads keys and user infos of others by name, not only in whole lists. */
  viewerReadsOthers: since('1.106'),
  viewerReadsMore: since('1.90'),
  /** Else `/v2/team/list` shows a `proxy_admin_viewer` the teams of their own alone, and of another's says 404. */
  viewerListsTeams: since('1.82'),

  // Deactivation, and what counts at once for a key that is in the proxy's cache.
  deactivationEnforced: since('1.90'),
  bulkActivityAtOnce: since('1.106'),
  bulkRoleAtOnce: since('1.110'),
  deletedKeysDieAtOnce: since('1.106'),
};

type Facts = typeof FACTS;

/** What is true of one version. */
export type Behaviour = { readonly version: Version } & {
  readonly [Fact in keyof Facts]: Facts[Fact] extends Steps<infer Value> ? Value : never;
};

export function behaviourOf(version: Version): Behaviour {
  const reached = VERSIONS.slice(0, VERSIONS.indexOf(version) + 1).reverse();
  const facts = Object.entries(FACTS).map(([name, values]) => {
    const from = reached.find((step) => step in values) ?? '1.55';
    return [name, values[from]];
  });
  return { version, ...Object.fromEntries(facts) };
}
