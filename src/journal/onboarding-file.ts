import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Papa from 'papaparse';
import { DELIVERED, holdsSecret, type OnboardingRow } from '../core/outcome.ts';
import { Secret } from '../core/secret.ts';
import { AppendFile, type FlushTime, moveAside, replaceFile, textOf } from '../files/write.ts';
import { csvLines, csvText, revealed } from '../render/csv.ts';

const ONBOARDING_FILE = 'onboarding_links.csv';

/**
 * `onboarding_links.csv` of one directory, mode 0600. It grows while a run goes on (a row once there is a key, again
 * once there is a link) and is compacted to one row per user at the end. Rows of earlier runs are kept; a file that is
 * not ours is moved to a free name, never overwritten.
 */
export class OnboardingFile {
  readonly path: string;
  #opened: Promise<AppendFile> | null = null;

  constructor(directory: string) {
    this.path = join(directory, ONBOARDING_FILE);
  }

  /** Resolves once the rows are on disk. Rows with neither key nor link are left out. */
  async append(rows: readonly OnboardingRow[], when?: FlushTime): Promise<void> {
    const worth = rows.filter(isWorthKeeping);
    if (worth.length === 0) return;
    this.#opened ??= this.#open();
    const file = await this.#opened;
    await file.append(ended(csvLines(worth.map((row) => cellsOf(row, row.delivery !== '')))), when);
  }

  /**
   * The rows of the file, the later of two of one user filling up the earlier.
   * @param from index of the first row that counts
   */
  async read(from = 0): Promise<ReadonlyMap<string, OnboardingRow>> {
    return merged((await readRows(this.path)).slice(from));
  }

  /** How many rows the file has now; what is appended comes behind them. */
  async countRows(): Promise<number> {
    if ((await textOf(this.path).catch(() => '')) === '') return 0;
    await this.#makeAppendable();
    return (await readRows(this.path)).length;
  }

  /** Rewrites the file to one row per user; creates it, with its header, where there is none. */
  async compact(): Promise<void> {
    await this.close();
    await moveForeignAway(this.path);
    await this.#rewrite();
  }

  /** Takes keys and links of users out that open nothing any more. */
  async strip(userIds: ReadonlySet<string>): Promise<void> {
    await this.close();
    const stripped = { apiKey: null, invitationId: null, link: null };
    const rows = [...(await this.read()).values()];
    await this.#replace(rows.map((row) => (userIds.has(row.userId) ? { ...row, ...stripped } : row)));
  }

  /** Takes users' rows out, for once they stand in a file of another form; an empty file goes altogether. */
  async drop(userIds: ReadonlySet<string>): Promise<void> {
    await this.close();
    const rows = [...(await this.read()).values()];
    await this.#replace(rows.filter((row) => !userIds.has(row.userId)));
  }

  async #replace(rows: readonly OnboardingRow[]): Promise<void> {
    const worth = rows.filter(isWorthKeeping);
    if (worth.length === 0) await rm(this.path, { force: true });
    else await replaceFile(this.path, onboardingCsv(worth));
  }

  async close(): Promise<void> {
    const file = await this.#opened?.catch(() => null);
    this.#opened = null;
    await file?.close();
  }

  async #rewrite(): Promise<void> {
    const rows = [...(await this.read()).values()].filter(isWorthKeeping);
    await replaceFile(this.path, onboardingCsv(rows));
  }

  async #open(): Promise<AppendFile> {
    await this.#makeAppendable();
    return AppendFile.open(this.path);
  }

  async #makeAppendable(): Promise<void> {
    await moveForeignAway(this.path);
    const text = await textOf(this.path);
    // Also where the last row was cut: an open quote in it would swallow what is appended.
    if (!text.endsWith('\n')) await this.#rewrite();
  }
}

async function moveForeignAway(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (found.isFile()) {
    const text = await textOf(path);
    if (text === '' || HEADERS.includes(firstLine(text))) return;
  }
  await moveAside(path);
}

const ONBOARDING = [
  'email',
  'user_id',
  'role',
  'team_name',
  'key_name',
  'api_key',
  'invitation_id',
  'expires_at',
  'onboarding_link',
];

/** The last column is there where mails were due. */
const WITH_DELIVERY = [...ONBOARDING, 'delivery'];
const HEADERS = [ONBOARDING, WITH_DELIVERY].map((columns) => columns.join(','));

/** `onboarding_links.csv`: holds secrets in the clear. */
function onboardingCsv(rows: readonly OnboardingRow[]): string {
  const hasDelivery = rows.some((row) => row.delivery !== '');
  return ended(
    csvText(
      hasDelivery ? WITH_DELIVERY : ONBOARDING,
      rows.map((row) => cellsOf(row, hasDelivery)),
    ),
  );
}

function cellsOf(row: OnboardingRow, withDelivery: boolean): string[] {
  const once = (secret: Secret | null): string => (row.delivered ? DELIVERED : revealed(secret));
  const { email, userId, role, teamName, keyName, apiKey, invitationId, expiresAt, link, delivery } = row;
  const cells = [email, userId, role, teamName, keyName, revealed(apiKey), once(invitationId), expiresAt, once(link)];
  return withDelivery ? [...cells, delivery] : cells;
}

function firstLine(text: string): string {
  const [line = ''] = text.replace(/^\uFEFF/, '').split('\n', 1);
  return line.trim().toLowerCase();
}

/** One line end at the end: what lacks it was cut. */
function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

async function readRows(path: string): Promise<OnboardingRow[]> {
  const text = await textOf(path);
  const { data } = Papa.parse<string[]>(text, { delimiter: ',', skipEmptyLines: true });
  const cut = text.endsWith('\n') ? -1 : data.length - 1;
  return data.map((cells, at) => toRow(cells, at === cut)).slice(1);
}

/** In a row that may be cut a secret counts only where it is known to be whole. */
function toRow(cells: readonly string[], cut: boolean): OnboardingRow {
  const cell = (at: number): string => (cells[at] ?? '').replace(/^'(?=[=+\-@\t\r])/, '');
  const secret = (at: number): Secret | null => (['', DELIVERED].includes(cell(at)) ? null : new Secret(cell(at)));
  const followed = (at: number): Secret | null => (cells.length > at + 1 ? secret(at) : null);
  return {
    email: cell(0),
    userId: cell(1),
    role: cell(2),
    teamName: cell(3),
    keyName: cell(4),
    apiKey: followed(5),
    invitationId: followed(6),
    expiresAt: cell(7),
    link: cut && cells.length < WITH_DELIVERY.length && !cell(8).includes(cell(6)) ? null : secret(8),
    delivery: cut ? '' : cell(9),
    delivered: !cut && cell(8) === DELIVERED,
  };
}

function isWorthKeeping(row: OnboardingRow): boolean {
  return holdsSecret(row) || row.delivery !== '';
}

function merged(rows: readonly OnboardingRow[]): Map<string, OnboardingRow> {
  const byUser = new Map<string, OnboardingRow>();
  rows.forEach((row, at) => {
    const name = row.userId === '' ? `row ${at}` : row.userId;
    const earlier = byUser.get(name);
    byUser.set(name, earlier === undefined ? row : filledUp(earlier, row));
  });
  return byUser;
}

function filledUp(earlier: OnboardingRow, later: OnboardingRow): OnboardingRow {
  return {
    email: later.email || earlier.email,
    userId: later.userId,
    role: later.role || earlier.role,
    teamName: later.teamName || earlier.teamName,
    keyName: later.keyName || earlier.keyName,
    apiKey: later.apiKey ?? earlier.apiKey,
    expiresAt: later.expiresAt || earlier.expiresAt,
    ...linkOf(later.link !== null || later.delivery !== '' ? later : earlier),
  };
}

/** A link and what became of it belong together: a fresh one has nothing of the mail that brought the one before it. */
function linkOf({ invitationId, link, delivery, delivered }: OnboardingRow) {
  return { invitationId, link, delivery, delivered };
}
