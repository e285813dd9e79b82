import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { desiredUsers, readUserList, type UserRow } from '../../src/core/desired.ts';
import { makePlan, type Policy } from '../../src/core/diff.ts';
import type { Change } from '../../src/core/plan.ts';
import type { Problem } from '../../src/core/problem.ts';
import { UsersByEmail } from '../../src/core/scope.ts';
import { teamDirectory } from '../../src/core/teams.ts';
import { FACTS, inventory, POLICY, short, TODAY, team, user } from './build.ts';

/** One company, whose list each file of the corpus is meant to be. */
const COMPANY = inventory(
  [
    user('ada', { email: 'ada@example.com', teams: ['t-platform'] }),
    user('bob', { email: 'bob@example.com', role: 'proxy_admin', teams: ['t-platform', 't-sales'] }),
    user('carla', { email: 'carla.müller@example.com', role: 'internal_user_viewer', teams: ['t-sales'] }),
    user('dimitri', { email: 'dimitri@example.com' }),
    user('oneil', { email: "o'neil@example.com", teams: ['t-blue'] }),
    user('yuki', { email: 'yuki@example.co.jp', teams: ['t-lab'] }),
  ],
  [
    team('t-platform', ['ada', 'bob'], 'platform'),
    team('t-sales', ['bob', 'carla'], 'sales'),
    team('t-blue', ['oneil'], 'Deep Blue'),
    team('t-lab', ['yuki'], 'R&D; Lab'),
  ],
);
const PROXY = {
  inventory: COMPANY,
  users: new UsersByEmail(COMPANY.users),
  directory: teamDirectory(COMPANY.teams),
  facts: FACTS,
  modelNames: null,
};
const KNOWN = {
  directory: PROXY.directory,
  emails: PROXY.users,
  today: TODAY,
};

interface Reading {
  readonly rows: readonly UserRow[];
  readonly problems: readonly Problem[];
  readonly changes: readonly Change[];
  readonly isBreached: boolean;
}

/** What a run would make of a file. Changes count only where nothing is wrong. */
function read(bytes: Uint8Array, policy: Partial<Policy> = {}): Reading {
  const list = readUserList(bytes);
  const { users, problems } = desiredUsers(list, KNOWN);
  const planned = makePlan(users, PROXY, { ...POLICY, ...policy }, TODAY);
  // As `sync` does: a file without users is refused.
  const isEmpty = list.readable && list.rows.length === 0 && list.problems.length === 0;
  return {
    rows: list.rows,
    problems: [
      ...problems,
      ...planned.problems,
      ...(isEmpty ? [{ line: null, column: null, message: 'no users' }] : []),
    ],
    changes: planned.plan.changes,
    isBreached: planned.plan.breaches.length > 0,
  };
}

const deletes = (changes: readonly Change[]): string[] =>
  changes.flatMap((change) => (change.kind === 'delete' ? change.userId : []));

describe('files as people have them', () => {
  const folder = join(import.meta.dirname, '../fixtures/csv');
  const names = readdirSync(folder).flatMap((name) => (name.endsWith('.csv') ? name.slice(0, -4) : []));

  it('are many', () => expect(names.length).toBeGreaterThanOrEqual(60));

  it.each(names)('%s', async (name) => {
    const reading = read(readFileSync(join(folder, `${name}.csv`)));
    await expect(told(reading)).toMatchFileSnapshot(join(folder, `${name}.txt`));
    // Everybody of the company stands in every file: whoever would be deleted was misread.
    if (reading.problems.length === 0 && name !== COMMENTED_OUT) expect(deletes(reading.changes)).toEqual([]);
  });

  /** The one file that says of somebody that they are gone. */
  const COMMENTED_OUT = 'hand-commented-out';
});

/** The expectation of a file: its problems if there are any, else how its rows read and what they change. */
function told({ rows, problems, changes }: Reading): string {
  const lines =
    problems.length > 0
      ? problems.map(problemLine)
      : [...rows.map(rowLine), changes.length === 0 ? 'No changes.' : 'Changes:', ...changes.map(changeLine)];
  return `${lines.join('\n')}\n`;
}

function problemLine({ line, column, columnName, email, message }: Problem): string {
  const where = [line, column].filter((part) => part !== null).join(':');
  const cell = [columnName, email].filter((part) => part !== undefined).join(' of ');
  return visible(`${where || 'file'}${cell && ` (${cell})`}: ${message}`);
}

function rowLine({ line, email, role, teamNames, limits, previousEmail, expires }: UserRow): string {
  const asked = Object.entries(limits).flatMap(([field, cell]) =>
    cell.kind === 'unmanaged' ? [] : `${field} ${cell.kind === 'none' ? 'none' : String(cell.value)}`,
  );
  const teams = teamNames === null ? 'teams as they are' : teamNames.join(';') || 'no team';
  const life = [previousEmail && `before ${previousEmail}`, expires && `until ${expires}`].filter(Boolean);
  return visible([`${line}: ${email}`, role, teams, ...asked, ...life].join(' | '));
}

const changeLine = (change: Change): string => visible(short(change));

/** What nobody would see in an expectation. */
const visible = (text: string): string =>
  text.replace(/[\p{Default_Ignorable_Code_Point}\p{Cc}\u00a0]/gu, (char) => `{${char.codePointAt(0)?.toString(16)}}`);

const FILE = [
  'email,role,team_name,key_name',
  'ada@example.com,internal_user,platform,ada-key',
  'bob@example.com,proxy_admin,platform;sales,',
  '"carla.müller@example.com",internal_user_viewer,"sales",',
  'dimitri@example.com,internal_user,-,',
  "o'neil@example.com,,Deep Blue,",
  'yuki@example.co.jp,internal_user,R&D; Lab,"a, b"',
  '',
].join('\n');
const PLAIN = new TextEncoder().encode(FILE);

/** Texts that slip into files: quotes, separators, marks, what is not seen, what looks like something else. */
const SLIPS = fc.constantFrom(
  ...['"', '""', '`', '*', '/', '<', '>', '(', ')', '[', ']', '“', '”', '«', '•', '\\', ':', '@'],
  ...[',', ';', '\t', '\n', '\r', '\r\n', '\n\n', ' ', '\u00a0', '\u3000', '，', '|'],
  ...['\u200b', '\u200f', '\u2060', '\ufeff', '\ufe0f', '\u3164', '\u00ad', '\u0000', '\u0007', '．', '＠', '。'],
  ...['<<<<<<< HEAD\n', '\n=======\n', '"\n"', '","', ',,,', ' "', '" '],
);
/** Letters beside those that look like them, and the same letters in other code points. */
const SWAPS: readonly (readonly [string, string])[] = [
  ['a', 'а'],
  ['o', 'ο'],
  ['e', 'е'],
  ['i', 'ı'],
  ['.', '．'],
  ['-', '–'],
  ["'", '’'],
  ['ü', 'u\u0308'],
  ['@', '＠'],
  [',', ';'],
  [',', '\t'],
  ['\n', '\r\n'],
  ['\n', '\u2028'],
  ['"', '“'],
];

type Slip = (text: string) => string;
const at = (text: string, share: number): number => Math.floor(share * (text.length + 1));
const share = fc.double({ min: 0, max: 0.999999, noNaN: true });

const inserted = fc.tuple(SLIPS, share).map(
  ([slip, where]): Slip =>
    (text) => {
      const index = at(text, where);
      return text.slice(0, index) + slip + text.slice(index);
    },
);
const swapped = fc.tuple(fc.constantFrom(...SWAPS), fc.nat(30), fc.boolean()).map(
  ([[from, to], nth, all]): Slip =>
    (text) => {
      const parts = text.split(from);
      if (all) return parts.join(to);
      const index = nth % parts.length;
      return parts.map((part, i) => (i === 0 ? part : (i === index ? to : from) + part)).join('');
    },
);
/** What holds a file together is lost: a separator, a quote, a line end, an `@`. */
const lost = fc.tuple(fc.constantFrom(',', '"', '\n', '@', ';'), fc.nat(30)).map(
  ([mark, nth]): Slip =>
    (text) => {
      const parts = text.split(mark);
      const index = 1 + (nth % Math.max(1, parts.length - 1));
      return parts.map((part, i) => (i === 0 ? part : (i === index ? '' : mark) + part)).join('');
    },
);
const wrapped = fc
  .tuple(fc.constantFrom("''", '``', '**', '<>', '“”', '""', '##', '//', '‘’', '()', '  ', '\ufe0f\u3164'), fc.nat(5))
  .map(
    ([[open, close], nth]): Slip =>
      (text) => {
        let seen = -1;
        return text.replace(/[^\s,"]+@[^\s,"]+/g, (email) => (++seen === nth ? `${open}${email}${close}` : email));
      },
  );
/** Two quotes, one where a cell begins and one where a later cell ends: all between becomes one cell. */
const spanned = fc.tuple(fc.nat(23), fc.nat(8)).map(
  ([first, length]): Slip =>
    (text) => {
      let seen = -1;
      return text.replace(/[,\n]/g, (mark) => {
        seen += 1;
        if (seen === first) return `${mark}"`;
        return seen === first + length + 1 ? `"${mark}` : mark;
      });
    },
);
const repeated = fc.nat(6).map(
  (nth): Slip =>
    (text) => {
      const lines = text.split('\n');
      return [...lines, lines[nth]].join('\n');
    },
);

/** Without one, a row with a mark in front would be a comment, which is a deletion that somebody wrote. */
const isCommentless = (text: string): boolean => !/^\s*#/m.test(text);

function shrinks(bytes: Uint8Array, policy: Partial<Policy>): string[] {
  const { problems, changes, isBreached } = read(bytes, policy);
  return problems.length > 0 || isBreached ? [] : deletes(changes);
}

test('the file that is mutated is a good one', () => {
  expect(read(PLAIN)).toMatchObject({ problems: [], changes: [] });
});

/** The same files each time; `FUZZ_SEED=2 npx vitest run __tests__/core/csv-corpus.test.ts` makes others. */
const SEED = Number(process.env.FUZZ_SEED ?? 1);

test('7,500 slips: nobody is deleted by one without a problem being reported', () => {
  const slips = fc.array(fc.oneof(inserted, swapped, lost, wrapped, spanned, repeated), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(slips, (mutations) => {
      const text = mutations.reduce((before, slip) => slip(before), FILE);
      fc.pre(isCommentless(text));
      expect({ text, gone: shrinks(new TextEncoder().encode(text), {}) }).toEqual({ text, gone: [] });
    }),
    { numRuns: 7_500, seed: SEED },
  );
});

test('2,500 files that are cut or hold other bytes: no crash, and no delete beyond the limit', () => {
  const noise = fc.array(fc.tuple(share, fc.nat(255), fc.nat(3)), { maxLength: 4 });
  const cuts = fc.constantFrom('none', 'end', 'start', 'both');
  fc.assert(
    fc.property(noise, cuts, share, share, (edits, cut, from, to) => {
      const bytes = [...PLAIN];
      for (const [where, byte, removed] of edits) bytes.splice(Math.floor(where * bytes.length), removed, byte);
      const ends = [from, to].map((end) => Math.floor(end * bytes.length)).sort((a, b) => a - b);
      const start = cut === 'start' || cut === 'both' ? ends[0] : 0;
      const end = cut === 'end' || cut === 'both' ? ends[1] : bytes.length;
      const policy: Partial<Policy> = { maxDeletes: { kind: 'count', count: 0 } };
      expect(shrinks(Uint8Array.from(bytes.slice(start, end)), policy)).toEqual([]);
    }),
    { numRuns: 2_500, seed: SEED },
  );
});
