export type Version = '1.106' | '1.75' | '1.55';

/** What differs between the versions, each tried on the real proxy (1.106.2, 1.75.8, 1.55.8). */
export interface Behaviour {
  readonly version: Version;
  /** Named by `/health/readiness`, on the old ones only. */
  readonly announcedVersion: string | null;
  readonly managementV1: boolean;
  /** Role of `default_user_id`; on 1.55 a proxy_admin who is there from the start, else made with the first team. */
  readonly masterUserRole: 'internal_user' | 'proxy_admin';
  readonly onboardingPage: boolean;
  /** `/user/bulk_update`, `/team/bulk_member_add`, `/v2/team/list`. */
  readonly classicBulk: boolean;
  /** Status of `/user/new` with an email that is taken; `null`: a second user. */
  readonly duplicateEmail: 409 | 400 | null;
  /** `false`: 200, the old user unchanged. */
  readonly duplicateIdRefused: boolean;
  /** `false`: `teams` of `/user/new` is stored in `user.teams` as it comes, rosters untouched. */
  readonly newUserJoinsRosters: boolean;
  /** `/user/list` knows sort and filter by email. */
  readonly sortedUserList: boolean;
  /** Whether `/team/member_add` refuses who stands in the roster already. */
  readonly duplicateMemberRefused: boolean;
  /** `false`: joining adds the team to `user.teams` even where it stands there, and of several members also to known ones'. */
  readonly joiningLooksFirst: boolean;
  /** Whether there is a third record of every membership (`team_memberships`), not only of those with a budget. */
  readonly membershipRecords: boolean;
  /** Whose `user.teams` a deleted team leaves: everybody's, those of its roster, or nobody's. */
  readonly deletedTeamLeaves: 'everybody' | 'roster' | 'nobody';
  /** Whether a roster entry made by user id gets the user's email. */
  readonly rosterEmails: boolean;
  /** Whether leaving a team deletes the user's keys of that team. */
  readonly leavingDeletesKeys: boolean;
  /** `false`: a team that stands in `user.teams` twice stays there once. */
  readonly leavingClearsAll: boolean;
  /** Whether `/team/member_delete` takes a team off `user.teams` where the roster lacks the user. */
  readonly leavingMendsUserTeams: boolean;
  readonly deletingCleansRosters: boolean;
  readonly fullKeyList: boolean;
}

const CURRENT: Behaviour = {
  version: '1.106',
  announcedVersion: null,
  managementV1: true,
  masterUserRole: 'internal_user',
  onboardingPage: true,
  classicBulk: true,
  duplicateEmail: 409,
  duplicateIdRefused: true,
  newUserJoinsRosters: true,
  sortedUserList: true,
  duplicateMemberRefused: true,
  joiningLooksFirst: true,
  membershipRecords: true,
  deletedTeamLeaves: 'everybody',
  rosterEmails: true,
  leavingDeletesKeys: true,
  leavingClearsAll: true,
  leavingMendsUserTeams: true,
  deletingCleansRosters: true,
  fullKeyList: true,
};

const MID_2025: Behaviour = {
  ...CURRENT,
  version: '1.75',
  announcedVersion: '1.75.8',
  managementV1: false,
  onboardingPage: false,
  duplicateEmail: 400,
  duplicateIdRefused: false,
  joiningLooksFirst: false,
  membershipRecords: false,
  deletedTeamLeaves: 'roster',
  rosterEmails: false,
  leavingDeletesKeys: false,
  leavingClearsAll: false,
  leavingMendsUserTeams: false,
};

const LATE_2024: Behaviour = {
  ...MID_2025,
  version: '1.55',
  announcedVersion: '1.55.8',
  deletedTeamLeaves: 'nobody',
  leavingMendsUserTeams: true,
  masterUserRole: 'proxy_admin',
  classicBulk: false,
  duplicateEmail: null,
  newUserJoinsRosters: false,
  sortedUserList: false,
  duplicateMemberRefused: false,
  deletingCleansRosters: false,
  fullKeyList: false,
};

export function behaviourOf(version: Version): Behaviour {
  return { '1.106': CURRENT, '1.75': MID_2025, '1.55': LATE_2024 }[version];
}
