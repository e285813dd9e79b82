import { describe, expect, it } from 'vitest';
import { readTable } from '../../src/core/csv.ts';
import { ADD_LIST, badEmails, DELETE_LIST, ONBOARD_LIST, readUserList } from '../../src/core/desired.ts';

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
    ['a line that names the comma', 'sep=,\nemail,role\na@x.io,\nb@x.io,'],
    ['a line that names no separator', '"sep="\r\nemail,role\r\na@x.io,\r\nb@x.io,'],
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

  it('keeps line numbers across comments, blank lines, a separator line and quoted line breaks', () => {
    const list = readUserList(bytes('sep=,\n# c\nemail,team_name\n\na@x.io,red\n# c\nc@x.io,"red\nblue"\n\nb@x.io,\n'));
    expect(list.rows.map((row) => [row.email, row.line])).toEqual([
      ['a@x.io', 5],
      ['b@x.io', 10],
    ]);
  });

  it('reads teams: several, none, unmanaged, a name with blanks, a guarded formula', () => {
    const list = readUserList(
      bytes(`email,team_name\na@x.io,red; deep blue ;red;\nb@x.io,-\nc@x.io,\nd@x.io,'=SUM(1)\ne@x.io,''-x\n`),
    );
    expect(list.rows.map((row) => row.teamNames)).toEqual([['red; deep blue ;red;'], [], null, ['=SUM(1)'], ["'-x"]]);
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

  it.each([
    ['\n', 'email\n# a comment\n'],
    ['\r\n', 'email\r\n# a comment\r\n'],
    ['\r', 'email\r# a comment\r'],
  ])('names the line of the first letter that is not UTF-8, lines ending with %j', (end, before) => {
    const latin1 = Buffer.from(`${before}j\u00fcrgen@x.io${end}b\u00e4r@x.io${end}`, 'latin1');
    expect(readUserList(latin1).problems).toMatchObject([{ line: 3, column: null }]);
  });

  it.each([
    ['login,role\na@x.io,\n', '', ' Column `login` holds what looks like emails: name it `email`.'],
    ['rule,role\na@x.io,\nann,', ' Did you mean `role`?', ''],
    ['login,role\n,\n', '', ''],
    ['login\n\nE-Mail,role\na@x.io,\n', '', ' Line 3 looks like the header: remove what stands above it.'],
  ])('has no email column: %j', (text, meant, hint) => {
    const name = text.split(/[,\n]/)[0];
    expect(messages(text)).toEqual([
      `1:1 Unknown column \`${name}\`.${meant} Expected header: email,role,team_name,key_name`,
      `1:null No \`email\` column.${hint} Expected header: email,role,team_name,key_name`,
    ]);
  });

  it.each([
    ['sep=;\nemail;role\n', '1:null The file is separated by `;`, not by commas.'],
    ['"sep=\t"\nemail\trole\n', '1:null The file is separated by tabs, not by commas.'],
    ['"email,role"\n"a@x.io,"\n', 'null:null Each line is quoted as a whole: remove the outer quotes.'],
    ['E-Mail；Rolle\n', '1:1 Unknown column `E-Mail；Rolle`.'],
    ['email、role\n', 'null:null The file is separated by `、`, not by commas.'],
    ['sep=,', 'null:null The file is empty.'],
  ])('%j', (text, message) => {
    expect(messages(text)[0]).toContain(message);
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

  it('has a cell under a blank one of the header', () => {
    expect(messages('email,role,\na@x.io,,x\nb@x.io,,x,y\n')).toEqual([
      expect.stringMatching(/^2:3 Cell 3 stands under a blank cell of the header, .* name it, or empty the cell\./),
      expect.stringMatching(/^3:3 Cell 3 stands under a blank cell/),
    ]);
  });

  it('has a key without a name where the cell is `-`', () => {
    const { rows, problems } = readUserList(bytes('email,key_name\na@x.io,-\nb@x.io,-\nc@x.io,-x\n'));
    expect([rows.map(({ keyName }) => keyName), problems]).toEqual([[null, null, '-x'], []]);
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

  it.each(['a@x.io', 'a.b+c@sub.x.io', "o'neil@x.io", 'jörg@müller.de', 'A@X.IO', 'a_b-c@x-y.io', '1@2.de'])(
    'good email %j',
    (email) => {
      expect(badEmails(readUserList(bytes(`email\n${email}\n`)).rows, new Set())).toEqual([]);
    },
  );

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
      'The file has no header: its first row holds the email `a@x.io`. Expected header: user_email,team_id',
    ]);
  });

  it.each([
    ['email', ['Email', 'user_email', 'E-Mail', 'e mail', 'Email Address', ' MAIL ', 'EMA\u0130L']],
    ['role', ['user_role', 'User Role']],
    ['team_name', ['team', 'Teams', 'team-alias', 'TEAM ID']],
    ['key_name', ['Key Alias']],
  ])('takes other names for %s', (column, names) => {
    const spec = { columns: ['email', 'role', 'team_name', 'key_name'], required: [] };
    for (const name of names) {
      const { rows, problems } = readTable(bytes(`${name}\nvalue\n`), spec);
      expect([problems, rows[0]?.cell(column).text]).toEqual([[], 'value']);
    }
  });

  it.each(['constructor', '__proto__', 'toString'])('knows no column %s', (name) => {
    expect(messages(`email,${name}\na@x.io,\n`)[0]).toContain(`Unknown column \`${name}\``);
  });

  it('two names for one column are an error', () => {
    expect(messages('mail,role,E-Mail\na@x.io,,\n')).toEqual([
      '1:3 Columns `mail` and `E-Mail` both mean `email`: keep one of them. Expected header: email,role,team_name,key_name',
    ]);
  });

  it.each([
    ['email,team_id\na@x.io,;\n', 2],
    ['email,team_id,team_name\na@x.io,red,", ;"\n', 3],
    ['email,team_id,team_name\na@x.io,-,red\n', 2],
  ])('separators alone are no team here either: %j', (text, column) => {
    expect(onboarding(text).problems).toMatchObject([{ line: 2, column, email: 'a@x.io' }]);
  });

  it('reads result files of ours, but not those users that were taken away', () => {
    const sync = `action,email,user_id,role,team_name,api_keys,status,error_reason
ADDED,a@x.io,a,internal_user,red;blue,sk-...abcd,SUCCESS,
DELETED,b@x.io,b,internal_user,red,,SUCCESS,
DEACTIVATED,c@x.io,c,internal_user,,,SUCCESS,
UNCHANGED,d@x.io,d,internal_user,,,SUCCESS,
`;
    expect(onboarding(sync)).toEqual({
      rows: [
        [2, 'a@x.io', 'red;blue'],
        [5, 'd@x.io', undefined],
      ],
      problems: [],
    });
    const registered =
      'email,role,user_id,team_name,models,api_keys,invitation_url\na@x.io,,a,red,gpt-4o,sk-x,https://l\n';
    expect(onboarding(registered)).toEqual({ rows: [[2, 'a@x.io', 'red']], problems: [] });
    expect(onboarding('email,models,action\na@x.io,,\n').problems.map(({ message }) => message)).toEqual([
      'Column `models` is read by `sync` and `add` alone: remove it here. Expected header: user_email,team_id',
      'Unknown column `action`. Expected header: user_email,team_id',
    ]);
  });

  it.each([
    ['expires', 'is read by `sync` alone: remove it here.'],
    ['previous_email', 'is read by `sync` alone: remove it here.'],
  ])('`add` does not take %s', (column, why) => {
    const { problems } = readUserList(bytes(`email,max_budget,${column}\na@x.io,5,\n`), ADD_LIST);
    expect(problems.map(({ column: at, message }) => [at, message])).toEqual([
      [3, `Column \`${column}\` ${why} Expected header: email,role,team_name,key_name`],
    ]);
  });

  it('`delete` takes no further column, by whatever name', () => {
    const { problems } = readUserList(bytes('Mail,team\na@x.io,red\n'), DELETE_LIST);
    expect(problems.map(({ column }) => column)).toEqual([2]);
  });

  it('many foreign columns make one problem', () => {
    const { problems } = readUserList(bytes('mail,a,b,c,d\na@x.io,,,,\n'));
    expect(problems.map(({ line, column, message }) => [line, column, message])).toEqual([
      [
        1,
        null,
        '4 columns are unknown here: `a`, `b`, `c`, `d`. The emails are those of column `mail`. Remove what is not in the header that is expected. Expected header: email,role,team_name,key_name',
      ],
    ]);
  });
});

describe('an export whose column of emails is blank', () => {
  const ENTRA = 'userPrincipalName,displayName,mail,givenName,surname';
  it('is told once, with the column that has them', () => {
    const { problems, readable } = readUserList(bytes(`${ENTRA}\na@x.io,A,,,\nb@x.io,B,,,\n`));
    expect(readable).toBe(false);
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining(
        'Column `mail` is blank in every row. Column `userPrincipalName` holds what looks like emails: name it `email`.',
      ),
    ]);
  });

  it.each([
    ['one row has an email', `${ENTRA}\na@x.io,A,,,\nb@x.io,B,b@x.io,,\n`, [[2, 'The row has no email.']]],
    ['no other column has them', `${ENTRA}\nann,A,,,\n`, [[2, 'The row has no email.']]],
  ])('is read where %s', (_, text, expected) => {
    const { problems } = readUserList(bytes(text));
    expect(problems.slice(1).map(({ line, message }) => [line, message])).toEqual(expected);
  });
});

describe('quotes and line breaks', () => {
  const found = (text: string) =>
    readUserList(bytes(text)).problems.map(({ line, column, message }) => [line, column, message.slice(0, 28)]);

  it.each([
    ['in a cell', 'email,team_name,key_name\na@x.io,,"k\n1"\nb@x.io,,\n', [[2, 3, 'A line break inside a cell: ']]],
    [
      'in a second cell',
      'email,role,key_name\na@x.io,"default",\nb@x.io,,"a\nb"\n',
      [[3, 3, 'A line break inside a cell: ']],
    ],
    ['at the end of a cell', 'email\n"a@x.io\n"\n', [[2, 1, 'A line break inside a cell: ']]],
    ['in the header', '"email\n",role\na@x.io,\n', [[1, 1, 'A line break inside a cell: ']]],
    ['that a quote swallows', 'email,k\na@x.io,"k\nb@x.io,"x" y\n', [[2, null, 'Misplaced or unclosed quotes']]],
    ['a blank before a quote', 'email,team_name\na@x.io, "red"\n', [[2, 2, 'A blank before a quote: the ']]],
  ])('%s', (_, text, expected) => {
    expect(found(text.replace(',k\n', ',key_name\n'))).toEqual(expected);
  });

  it('rows whose cells are a guess are not read', () => {
    expect(emails('email,role\na@x.io,"x\ny"\nb@x.io,\nc@x.io,"\n')).toEqual(['b@x.io']);
  });
});

describe('marks of a merge conflict', () => {
  it.each(['<<<<<<< HEAD', '=======', '>>>>>>> topic', '||||||| base'])('%s', (mark) => {
    const { rows, problems } = readUserList(bytes(`email\na@x.io\n${mark}\n`));
    expect(rows).toHaveLength(1);
    expect(problems).toMatchObject([{ line: 3, column: null, message: expect.stringContaining('merge conflict') }]);
  });
});
