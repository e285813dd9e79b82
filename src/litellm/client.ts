import type {
  ActivityResult,
  Blocked,
  CreatedUser,
  Invitation,
  MovedKey,
  NewUser,
  ProxyWrites,
  RoleResult,
  RoleRow,
  RowResult,
  UpdatedUser,
  UserFields,
} from '../apply/ports.ts';
import { TeamLocks } from '../concurrency.ts';
import type { Inventory, ProxyFacts, ProxyKey, ProxyUser, Team } from '../core/inventory.ts';
import type { Secret } from '../core/secret.ts';
import { setActivity } from './activity.ts';
import { Capabilities } from './capabilities.ts';
import { IncompleteInventoryError } from './errors.ts';
import { type Effects, Http, type HttpOptions } from './http.ts';
import { Invitations } from './invitations.ts';
import { allKeys, createKey, deleteKeys, keysOfUser, leavingKeys, moveKey, ownUserId, takenAliases } from './keys.ts';
import { type ListedRow, modelList, PROXY_USER } from './schemas.ts';
import { Snapshot } from './snapshot.ts';
import { findTeams, JOIN_BATCH, joinTeam, leaveTeam, listTeams, listTeamsUnpaged, ownBudgets } from './teams.ts';
import { createUsers } from './user-create.ts';
import {
  deleteUsers,
  findManyUsers,
  findUsersByEmail,
  keyCounts,
  listUsers,
  modelsOf,
  projectUsers,
  updateRoles,
  updateUser,
  type WriteContext,
} from './users.ts';

export type { ListedRow } from './schemas.ts';

export interface ProxyOptions extends HttpOptions {
  /** Called with every API key and invitation id the moment it is received, before anything else sees it. */
  readonly onSecret?: (value: string) => void;
}

/**
 * A client of one proxy; asks nothing yet.
 * @throws TypeError where `baseUrl` is not an http(s) address.
 */
export function connect(options: ProxyOptions, effects: Partial<Effects> = {}): ProxyClient {
  const http = new Http(options, effects);
  if (http.baseUrl.exposed) {
    options.log.warning(
      `base-url is plain http:// to a host that is not local: the key can be read on the way. Use https.`,
    );
  }
  return new ProxyClient(http, options);
}

/**
 * Teams with members and nobody there: a listing that answers "0 users" is wrong, not proof of an empty proxy. The user
 * that the proxy has of itself is in the roster of each team that the master key creates, and may have been deleted.
 */
function assertPeopled(users: readonly ProxyUser[], teams: readonly Team[]): void {
  if (users.length > 0) return;
  const team = teams.find(({ members }) => [...members].some((id) => id !== PROXY_USER));
  if (team === undefined) return;
  throw new IncompleteInventoryError(
    `GET /user/list is not complete: it names no user at all, but team ${team.teamId} has ${team.members.size} members. Run again; if that stays so, the proxy's database needs a look.`,
    'GET /user/list',
    200,
  );
}

/** The LiteLLM proxy. Every method may throw a `ProxyError`; writes also `AnswerLostError`, see {@link ProxyWrites}. */
export class ProxyClient implements ProxyWrites {
  readonly batchSize = 500;
  readonly joinBatchSize = JOIN_BATCH;
  readonly #http: Http;
  readonly #capabilities: Capabilities;
  readonly #context: WriteContext;
  readonly #invitations: Invitations;
  readonly #snapshot: Snapshot;

  constructor(http: Http, { log, onSecret = () => {} }: Pick<ProxyOptions, 'log' | 'onSecret'>) {
    this.#http = http;
    this.#capabilities = new Capabilities(http, log);
    this.#invitations = new Invitations(http, onSecret);
    this.#snapshot = new Snapshot(http, this.#capabilities, log);
    this.#context = { http, capabilities: this.#capabilities, locks: new TeamLocks(), onSecret, defaults: {} };
  }

  /** Requests sent so far. */
  get requestCount(): number {
    return this.#http.requestCount;
  }

  /** @throws ProxyTooOldError where the proxy is older than 1.75. */
  checkVersion(): Promise<void> {
    return this.#capabilities.checkVersion();
  }

  /** All users, all teams with rosters and whose key we use, proven complete. @throws IncompleteInventoryError */
  inventory(): Promise<Inventory> {
    return this.#capabilities.withVersionHint(async () => {
      const own = ownUserId(this.#http);
      const teams = own.then((id) => this.#teams(id));
      const [users, teamsSeen, ownUser] = await Promise.all([listUsers(this.#http, this.#snapshot), teams, own]);
      assertPeopled(users, teamsSeen);
      this.#capabilities.tellOfGateway();
      return { users, teams: teamsSeen, ownUserId: ownUser };
    });
  }

  async #teams(ownUser: string | null): Promise<readonly Team[]> {
    const paged = ownUser === null || (await this.#capabilities.bulk('create'));
    return paged ? listTeams(this.#http) : listTeamsUnpaged(this.#http);
  }

  /** Every user with these columns, reduced by `project` at once; proven complete. */
  listUsers<T>(columns: readonly string[], project: (user: ListedRow) => T): Promise<T[]> {
    return this.#capabilities.withVersionHint(() => projectUsers(this.#http, this.#snapshot, columns, project));
  }

  /** All teams with their rosters. */
  listTeams(): Promise<readonly Team[]> {
    return this.#capabilities.withVersionHint(async () => this.#teams(await ownUserId(this.#http)));
  }

  /** Users' own models; none: all that the proxy has. */
  modelsOf(userIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return modelsOf(this.#http, userIds);
  }

  /** Numbers of keys by user id, of these users alone; a user who is not there any more may be left out. */
  keyCounts(userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return keyCounts(this.#http, userIds);
  }

  /** The keys of all users. */
  listKeys(): Promise<readonly ProxyKey[]> {
    return this.#capabilities.withVersionHint(() => allKeys(this.#http));
  }

  /** The keys that stand in these teams and belong to these users; `'unknown'` where our key may not list them. */
  leavingKeys(
    pairs: readonly { readonly userId: string; readonly teamId: string }[],
  ): Promise<readonly ProxyKey[] | 'unknown'> {
    return leavingKeys(this.#http, pairs);
  }

  /** Which of these members have a budget of their own in the team, that leaving takes away. */
  ownBudgets<P extends { readonly userId: string; readonly teamId: string }>(
    pairs: readonly P[],
  ): Promise<readonly P[]> {
    return ownBudgets(this.#http, pairs);
  }

  /** The models that the proxy offers to the key that we use, as `/v1/models` names them. */
  async modelNames(): Promise<ReadonlySet<string>> {
    const { data } = await this.#http.requestJson({ method: 'GET', path: '/v1/models' }, modelList);
    return new Set(data.map((model) => model.id));
  }

  /** Which of these key aliases exist already, and the user whose key has it. */
  takenAliases(aliases: readonly string[]): Promise<Map<string, string | null>> {
    return takenAliases(this.#http, aliases);
  }

  facts(): Promise<ProxyFacts> {
    return this.#capabilities.facts();
  }

  /** Source: from 1.103 on a deleted user leaves all rosters, before it those alone of teams in the user's record. */
  cleansRosters(): Promise<boolean> {
    return this.#capabilities.bulk('leave');
  }

  /** Whether the proxy has the page `/ui/onboarding`. Asked once. */
  onboardingPage(): Promise<boolean> {
    return this.#capabilities.onboardingPage();
  }

  createUsers(users: readonly NewUser[], blocked?: Blocked): Promise<readonly CreatedUser[]> {
    return createUsers(this.#context, users, blocked);
  }

  deleteUsers(userIds: readonly string[], blocked?: Blocked): Promise<readonly RowResult[]> {
    return deleteUsers(this.#context, userIds, blocked);
  }

  updateRoles(users: readonly RoleRow[]): Promise<readonly RoleResult[]> {
    return updateRoles(this.#http, users);
  }

  updateUser(userId: string, fields: UserFields): Promise<UpdatedUser> {
    return updateUser(this.#http, userId, fields);
  }

  setActivity(userId: string, active: boolean): Promise<ActivityResult> {
    return setActivity(this.#http, userId, active, new Date(this.#http.now()).toISOString());
  }

  joinTeam(teamId: string, userIds: readonly string[]): Promise<readonly RowResult[]> {
    return joinTeam(this.#context, teamId, userIds);
  }

  leaveTeam(teamId: string, userIds: readonly string[], blocked?: Blocked): Promise<readonly RowResult[]> {
    return leaveTeam(this.#context, teamId, userIds, blocked);
  }

  createKey(key: {
    readonly userId: string;
    readonly teamId: string | null;
    readonly alias: string | null;
  }): Promise<Secret> {
    return createKey(this.#http, key, this.#context.onSecret);
  }

  deleteKeys(hashes: readonly string[]): Promise<void> {
    return deleteKeys(this.#http, hashes);
  }

  moveKey(hash: string, teamId: string): Promise<MovedKey> {
    return moveKey(this.#http, hash, teamId);
  }

  createInvitation(userId: string): Promise<Invitation> {
    return this.#invitations.create(userId);
  }

  deleteInvitation(id: Secret): Promise<void> {
    return this.#invitations.delete(id);
  }

  findUsers(userIds: readonly string[]): Promise<readonly ProxyUser[]> {
    return findManyUsers(this.#http, this.#snapshot, userIds);
  }

  findUsersByEmail(email: string): Promise<readonly ProxyUser[]> {
    return findUsersByEmail(this.#http, email);
  }

  findTeams(teamIds: readonly string[]): Promise<readonly Team[]> {
    return findTeams(this.#http, teamIds);
  }

  keysOfUser(userId: string): Promise<readonly ProxyKey[]> {
    return keysOfUser(this.#http, userId);
  }
}
