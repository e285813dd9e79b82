import { describe, expect, it } from 'vitest';
import { readTable } from '../../src/core/csv.ts';
import { badEmails, ONBOARD_LIST, readUserList } from '../../src/core/desired.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const emails = (text: string): string[] => readUserList(bytes(text)).rows.map((row) => row.email);
const messages = (text: string): string[] =>
  readUserList(bytes(text)).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);

describe('what a user list may look like', () => {
  it.each([
    ['plain', 'email,role,team_name\na@x.io,internal_user,red\nb@x.io,,\n'],
    ['without a last newline', 'email\na@x.io\nb@x.io'],
    ['CRLF', 'email,role\r\na@x.io,internal_user\r\nb@x.io,\r\n'],
    ['CRLF and quotes at the end of a line', 'email,"role"\r\na@x.io,"internal_user"\r\nb@x.io,""\r\n'],
    ['CR alone', 'email,role\ra@x.io,internal_user\rb@x.io,'],
    ['BOM', '\ufeffemail,role\na@x.io,\nb@x.io,'],
    ['blank lines and blank rows', '\n\nemail,role\n\na@x.io,\n,,\n  \nb@x.io,\n\n'],
    ['indented comments', '  # who\nemail,role\na@x.io,\n\t# b, too\nb@x.io,'],
    ['comments', '# who\nemail,role\n# "a quote, unclosed\na@x.io,\n# last, one\nb@x.io,\n#end'],
    ['header in other case and order', 'ROLE, Email ,Key_Name\n,a@x.io,\n,b@x.io,'],
    ['outer blanks', 'email , role\n  a@x.io , internal_user \n\tb@x.io\t,'],
    ['surplus blank cells, as spreadsheets leave them', 'email,role,,\na@x.io,,,\nb@x.io,,,'],
    ['short rows', 'email,role,team_name\na@x.io\nb@x.io,internal_user'],
  ])('%s', (_, text) => {
    expect(messages(text)).toEqual([]);
    expect(emails(text)).toEqual(['a@x.io', 'b@x.io']);
  });

  it('keeps line numbers across comments, blank lines and quoted newlines', () => {
    const list = readUserList(bytes('# c\nemail,team_name\n\na@x.io,"red;\nblue"\n# c\n\nb@x.io,\n'));
    expect(list.rows.map((row) => [row.email, row.line])).toEqual([
      ['a@x.io', 4],
      ['b@x.io', 8],
    ]);
  });

  it('reads teams: several, none, unmanaged, a name with blanks, a guarded formula', () => {
    const list = readUserList(
      bytes(`email,team_name\na@x.io,red; deep blue ;red;\nb@x.io,-\nc@x.io,\nd@x.io,'=SUM(1)\ne@x.io,''-x\n`),
    );
    expect(list.rows.map((row) => row.teamNames)).toEqual([['red', 'deep blue'], [], null, ['=SUM(1)'], ["'-x"]]);
  });
});

describe('what is wrong with a file as a whole', () => {
  const utf16 = new Uint8Array([0xff, 0xfe, ...Buffer.from('email\na@x.io', 'utf16le')]);
  it.each([
    ['empty', bytes(''), /The file is empty\. Expected header: email,role,team_name,key_name/],
    ['only comments', bytes('# nothing\n\n'), /The file is empty/],
    ['UTF-16', utf16, /UTF-16.*save it as "CSV UTF-8"\. Expected header: email/],
    ['Latin-1', new Uint8Array([...bytes('email\n'), 0xe4, 0x40]), /not UTF-8 \(Latin-1/],
    [
      'semicolons',
      bytes('email;role;team_name\na@x.io;internal_user;red\n'),
      /separated by `;`.*Expected header: email,role/,
    ],
    ['tabs', bytes('email\trole\na@x.io\t\n'), /separated by tabs/],
    ['bars', bytes('"email"|role\na@x.io|\n'), /separated by `\|`/],
    ['UTF-16 of the other byte order', new Uint8Array([0xfe, 0xff, 0, 0x61]), /UTF-16/],
    ['UTF-16 without a mark', new Uint8Array(Buffer.from('email\na@x.io', 'utf16le')), /UTF-16/],
    ['nothing but a quote', bytes('"'), /Misplaced or unclosed quotes/],
  ])('%s', (_, file, message) => {
    const { rows, problems, readable } = readUserList(file);
    expect({ rows, readable, count: problems.length }).toEqual({ rows: [], readable: false, count: 1 });
    expect(problems[0]?.message).toMatch(message);
  });

  it('has no email column', () => {
    expect(messages('mail,role\na@x.io,\n')).toEqual([
      '1:1 Unknown column `mail`. Did you mean `email`? Expected header: email,role,team_name,key_name',
      '1:null No `email` column. Expected header: email,role,team_name,key_name',
    ]);
  });

  it('has a column twice', () => {
    expect(messages('email,role,Role\na@x.io,,\n')).toEqual([
      '1:3 Column `role` stands twice. Expected header: email,role,team_name,key_name',
    ]);
  });
});

describe('what is wrong with rows', () => {
  it('is reported all at once, by line and column', () => {
    const found = messages('email,rol,team_name\nann@x.io,,\n,internal_user,red\nANN@X.io ,,-;red\nb@x.io,,a,c\n');
    expect(found).toEqual([
      '1:2 Unknown column `rol`. Did you mean `role`? Expected header: email,role,team_name,key_name',
      '5:4 The row has 4 cells, the header 3: a cell with a comma in it needs quotes ("a, b").',
      '3:1 The row has no email.',
      '4:3 `-` means no team at all and must stand alone; a team of that name is written by its id.',
      '4:1 `ANN@X.io` stands on line 2 already, and again on line 4 (letter case does not count). Remove one of them.',
    ]);
  });

  it('suggests a role and lists the allowed ones', () => {
    expect(messages('email,role\na@x.io,internal_usr\n')).toEqual([
      '2:2 Invalid role `internal_usr`. Did you mean `internal_user`? Allowed: proxy_admin, proxy_admin_viewer, internal_user, internal_user_viewer, default, or blank.',
    ]);
  });

  it('does not swallow rows behind an unclosed quote without saying so', () => {
    const list = readUserList(bytes('email,team_name\na@x.io,"red\nb@x.io,blue\n'));
    expect(list.problems.map((problem) => problem.message).join()).toMatch(/unclosed quotes/);
    expect(list.problems[0]?.line).toBe(2);
  });

  it.each([
    'invalid@',
    '@x.io',
    'plain',
    'a b@x.io',
    'a@x',
    'a@@x.io',
    'a@x..io',
    'a@.io',
    'a@x.io.',
    'a,b@x.io',
    'a@x.io;b@x.io',
    '<a@x.io>',
    'a\u0000@x.io',
  ])('bad email %j', (email) => {
    const { rows } = readUserList(bytes(`email\n"${email}"\n`.replaceAll('\u0000', '\u0001')));
    expect(badEmails(rows, new Set()).map((problem) => problem.line)).toEqual([2]);
  });

  it.each([
    'a@x.io',
    'a.b+c@sub.x.io',
    "o'neil@x.io",
    'jörg@müller.de',
    'A@X.IO',
    'a_b-c@x-y.io',
    '1@2.de',
    'a/b@x.io',
  ])('good email %j', (email) => {
    expect(badEmails(readUserList(bytes(`email\n${email}\n`)).rows, new Set())).toEqual([]);
  });

  it('lets an email be that the proxy has already', () => {
    const { rows } = readUserList(bytes('email\nRoot@localhost\n'));
    expect(badEmails(rows, new Set(['root@localhost']))).toEqual([]);
  });
});

describe('other columns', () => {
  const onboarding = (text: string) => {
    const { rows, problems } = readUserList(bytes(text), ONBOARD_LIST);
    return { rows: rows.map((row) => [row.line, row.email, row.teamNames?.join(';')]), problems };
  };

  it.each([
    [
      'one email a line',
      'a@x.io\nb@x.io\n',
      [
        [1, 'a@x.io'],
        [2, 'b@x.io'],
      ],
    ],
    ['one email a line, below a comment, with surplus commas', '# new\na@x.io,,\n', [[2, 'a@x.io']]],
    ['one email a line, the first of them bad', 'a@x\n', [[1, 'a@x']]],
    ['a header of its own', 'user_email,team_id\na@x.io,t1\n', [[2, 'a@x.io', 't1']]],
    [
      'id and name',
      'email,team_id,team_name\na@x.io,t1,red\nb@x.io,-,-\n',
      [
        [2, 'a@x.io', 't1;red'],
        [3, 'b@x.io', ''],
      ],
    ],
  ])('reads %s', (_, text, rows) => {
    expect(onboarding(text)).toEqual({ rows: rows.map((row) => [row[0], row[1], row[2]]), problems: [] });
  });

  it('does not take a row of two cells for a file without a header', () => {
    expect(onboarding('a@x.io,red\n').problems.map((problem) => problem.message)).toEqual([
      expect.stringContaining('Unknown column `a@x.io`'),
      expect.stringContaining('Unknown column `red`'),
      'No `email` column. Expected header: user_email,team_id',
    ]);
  });

  it('takes other names for a column', () => {
    const spec = { columns: ['email', 'team_id'], required: ['email'], aliases: { user_email: 'email' } };
    const { rows, problems } = readTable(bytes('user_email,team_id\na@x.io,t1\n'), spec);
    expect(problems).toEqual([]);
    expect(rows.map((row) => [row.cell('email').text, row.cell('team_id').text])).toEqual([['a@x.io', 't1']]);
  });
});
