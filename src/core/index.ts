import type { UserRow } from './desired.ts';
import { deletion, namelessMessage, namelessUsers, type Policy, planOf, sharedMessage, WHY_UNTOUCHED } from './diff.ts';
import { emailKey, type Inventory, type UserWithEmail } from './inventory.ts';
import type { Change, DeleteChange, InviteChange, Plan } from './plan.ts';
import type { Rows } from './row-plan.ts';
import { byEmail, meantUser, type Population, splitManaged } from './scope.ts';
import { type Memberships, memberships, type TeamDirectory, teamDirectory, teamRefs } from './teams.ts';

/** What is known of the proxy while rows are looked at. */
export class Lookup {
  readonly inventory: Inventory;
  readonly directory: TeamDirectory;
  readonly policy: Policy;
  readonly #population: Population;
  readonly #users: ReadonlyMap<string, readonly UserWithEmail[]>;
  readonly #memberships: Memberships;
  readonly #nameless: ReadonlyMap<string, string>;

  constructor(inventory: Inventory, policy: Policy) {
    this.inventory = inventory;
    this.directory = teamDirectory(inventory.teams);
    this.policy = policy;
    this.#population = splitManaged(inventory, policy.protectedUsers);
    this.#users = byEmail(inventory.users);
    this.#memberships = memberships(inventory.teams);
    this.#nameless = namelessUsers(inventory.users);
  }

  has(email: string): boolean {
    return this.#users.has(emailKey(email));
  }

  /** Emails that the proxy has: it checks none, so that odd ones are among them. */
  get emails(): ReadonlySet<string> {
    return new Set(this.#users.keys());
  }

  /** The one user of a row who may be touched; `null` where there is none. Any obstacle refuses the row. */
  touchable(row: UserRow, rows: Rows): UserWithEmail | null {
    const all = this.#users.get(emailKey(row.email)) ?? [];
    if (all.length === 0) {
      this.refuseNameless(row, rows);
      return null;
    }
    const user = meantUser(all, this.#population.unmanaged);
    const reason = user && this.#population.unmanaged.get(user);
    if (user === null) {
      const ids = all.map((one) => one.userId);
      rows.refuseRow(row, sharedMessage(row.email, all), ids.sort().join(';'));
    } else if (reason !== undefined && reason !== null && reason !== 'without email') {
      rows.refuseRow(row, `\`${row.email}\` ${WHY_UNTOUCHED[reason]}.`, user.userId);
    } else {
      return user;
    }
    return null;
  }

  /** A user without email whose id is the row's email: LiteLLM makes such ones by JWT and SSO, and fills the email in later. */
  refuseNameless(row: UserRow, rows: Rows): void {
    const userId = this.#nameless.get(emailKey(row.email));
    if (userId !== undefined) rows.refuseRow(row, namelessMessage(row.email, userId), userId);
  }

  deletion(user: UserWithEmail): DeleteChange {
    return deletion(user, { memberships: this.#memberships, directory: this.directory, policy: this.policy });
  }

  /** By the address that the proxy has: it is the one that the link is mailed to. */
  invitation(user: UserWithEmail): InviteChange {
    const { full, half } = this.#memberships(user);
    const teams = teamRefs([...full, ...half], this.directory);
    return { kind: 'invite', email: user.email.trim(), userId: user.userId, role: user.role, teams, withheld: null };
  }

  plan(changes: readonly Change[]): Plan {
    const listsDeletes = changes.some((change) => change.kind === 'delete');
    return planOf({ changes, unchanged: [] }, this.inventory, this.#population, { ...this.policy, listsDeletes });
  }
}
