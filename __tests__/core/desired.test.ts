import { describe, expect, it } from 'vitest';
import { badEmails, desiredUsers, isEmail, problemsOffline, readUserList } from '../../src/core/desired.ts';
import { withCells } from '../../src/core/problem.ts';
import { teamDirectory } from '../../src/core/teams.ts';
import { limitCell } from '../../src/core/user-limits.ts';
import { TODAY, team } from './build.ts';

const list = (text: string) => readUserList(new TextEncoder().encode(text));
const told = (text: string) => list(text).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);

describe('an email', () => {
  it.each([
    `${'a'.repeat(64)}@x.io`,
    `a@${'b'.repeat(249)}.io`,
    "d'arc.o'neil@x.io",
    'u\u0308ber@mu\u0308ller.de',
    '用户@例子.公司',
    'परीक्षा@उदाहरण.भारत',
    '!a@x.io',
    'a+b=c_d~e@x-y.z9.io',
  ])('is %j', (email) => expect(isEmail(email)).toBe(true));

  it.each([
    `${'a'.repeat(65)}@x.io`,
    `a@${'b'.repeat(250)}.io`,
    ...["'ada@x.io", "ada'@x.io", "'ada@x.io'", "ada@x.i'o", '"ada"@x.io', '“ada@x.io”', '`ada@x.io`', '*ada@x.io*'],
    ...['a*b@x.io', 'a/b@x.io', '#ada@x.io', 'a#b@x.io', 'ada@x.io#', 'ada@x．io', 'ada＠x.io', 'ada@ｘ.io'],
    ...['ada@x.io\ufe0f', 'ada@x.io\u3164', '\u3164ada@x.io', 'a\u115fda@x.io', 'ada\u180e@x.io', 'ada\u{e0100}@x.io'],
    ...['.ada@x.io', 'ada.@x.io', 'a..b@x.io', 'ada@-x.io', 'ada@x-.io', 'ada@x_y.io', 'ada@x.io-', 'ada@x.²'],
    ...['→ada@x.io', '🙂@x.io', 'ada', '@', '', 'ada@', 'ada@x', '[ada@x.io]', 'ada@[1.2.3.4]'],
  ])('is not %j', (email) => expect(isEmail(email)).toBe(false));

  it.each([
    [`${'a'.repeat(65)}@x.io`, 'It has 65 characters before the `@`; 64 are allowed.'],
    [`a@${'b'.repeat(250)}.io`, 'It has 255 characters; 254 are allowed.'],
    ['ada@x.io\u200b', 'It holds U+200B, which no email has.'],
  ])('%j: what is wrong is told', (email, why) => {
    const [problem] = badEmails(list(`email\n${email}\n`).rows, new Set());
    expect(problem?.message).toContain(`Expected name@example.com. ${why}`);
  });
});

describe('an email that looks like another one', () => {
  const messages = (text: string, known: string[]) =>
    badEmails(list(text).rows, new Set(known)).map(({ line, message }) => `${line} ${message}`);

  it.each([
    ['on the proxy', 'email\nаda@x.io\n', ['ada@x.io'], '2 `аda@x.io` looks like `ada@x.io` on the proxy'],
    ['on the proxy, the odd one', 'email\nada@x.io\n', ['аda@x.io'], '2 `ada@x.io` looks like `аda@x.io` on the proxy'],
    ['in the file', 'email\nada@x.io\nаda@x.io\n', ['ada@x.io'], '3 `аda@x.io` looks like `ada@x.io` on line 2'],
    ['behind a mark', 'email\n+ada@x.io\n', ['ada@x.io'], 'it has U+002B too many. Write it the same, or create'],
  ])('%s', (_, text, known, message) => {
    expect(messages(text, known)).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    ['both are on the proxy', 'email\nada@x.io\nаda@x.io\n', ['ada@x.io', 'аda@x.io']],
    ['it is renamed', 'email,previous_email\nada@x.io,аda@x.io\n', ['аda@x.io']],
    ['in other letter case', 'email\nADA@x.io\n', ['ada@x.io']],
  ])('is let be where %s', (_, text, known) => {
    expect(messages(text, known)).toEqual([]);
  });

  it('twice in one list, typed in two ways', () => {
    expect(told('email\n\u00fc@x.io\nU\u0308@x.io\n')).toEqual([
      expect.stringContaining('(the same letters in other code points: U+0055 U+0308 in place of U+00FC)'),
    ]);
  });
});

describe('limits', () => {
  const COLUMNS = 'email,max_budget,budget_duration,tpm_limit,rpm_limit,models';
  const read = (cells: string) => list(`${COLUMNS}\na@x.io,${cells}\n`);
  const value = (text: unknown) => ({ kind: 'value', value: text });
  const [unmanaged, none] = [{ kind: 'unmanaged' }, { kind: 'none' }];

  it.each([
    [',,,,', [unmanaged, unmanaged, unmanaged, unmanaged, unmanaged]],
    ['-,-,-,-,', [none, none, none, none, unmanaged]],
    ['50,30d,1000,0,gpt-4o', [value(50), value('30d'), value(1000), value(0), value(['gpt-4o'])]],
    ['0.25,1mo,7,7,"a; b,a;"', [value(0.25), value('1mo'), value(7), value(7), value(['a', 'b'])]],
    [',,,,all-proxy-models', [unmanaged, unmanaged, unmanaged, unmanaged, value(['all-proxy-models'])]],
  ])('%s', (cells, expected) => {
    const { rows, problems } = read(cells);
    expect(problems).toEqual([]);
    const limits = rows[0]?.limits;
    expect([limits?.maxBudget, limits?.budgetDuration, limits?.tpmLimit, limits?.rpmLimit, limits?.models]).toEqual(
      expected,
    );
    expect(rows[0]?.columns.limits).toEqual({ maxBudget: 2, budgetDuration: 3, tpmLimit: 4, rpmLimit: 5, models: 6 });
  });

  it.each([
    ['max_budget', 2, ['$50', '50.', '.5', '1e3', '-5', '50,00', '1 000', '∞', '9'.repeat(400)]],
    ['budget_duration', 3, ['30', '0d', '30 d', '1m0', '2mo', 'monthly', '30D', '01d']],
    ['tpm_limit', 4, ['1.5', '1000.0', '1k', '-1', '1,000', '9007199254740993']],
    ['rpm_limit', 5, ['ten', '–']],
    ['models', 6, ['-', ';', 'gpt-4o;-', 'gpt-4o;all-proxy-models', 'no-default-models,all-proxy-models']],
  ])('a bad %s', (column, at, cells) => {
    for (const cell of cells) {
      const row = ['a@x.io', '', '', '', '', ''].with(at - 1, `"${cell}"`).join(',');
      const { problems } = list(`${COLUMNS}\n${row}\n`);
      expect(problems).toMatchObject([{ line: 2, column: at, columnName: column, email: 'a@x.io' }]);
      expect(problems[0]?.message).toMatch(new RegExp(`^Invalid ${column} \`.*(Allowed: |in words: |stand alone)`));
    }
  });

  it('a number too large to be exact says so, as it has the form that is asked for', () => {
    expect(read(`${'9'.repeat(400)},,9007199254740993,,`).problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Invalid max_budget `9+`\. It is too large to be exact\. Allowed: less,/),
      expect.stringContaining('Invalid tpm_limit `9007199254740993`. It is too large to be exact.'),
    ]);
  });

  it('`-` for models names the words for it, a dash its code point', () => {
    expect(read(',,,–,-').problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('Invalid rpm_limit `–` (a dash, U+2013, and no plain `-`).'),
      expect.stringMatching(/`all-proxy-models`.*`no-default-models`/),
    ]);
  });

  it('many rows without such columns share one object', () => {
    const [a, b] = list('email\na@x.io\nb@x.io\n').rows;
    expect(a?.limits).toBe(b?.limits);
    expect(a?.columns).toBe(b?.columns);
  });

  it.each([
    ['maxBudget', 0.1, '0.1'],
    ['maxBudget', 1e-7, '0.0000001'],
    ['maxBudget', 123456789012.5, '123456789012.5'],
    ['maxBudget', null, '-'],
    ['maxBudget', -1, null],
    ['maxBudget', 1e-300, null],
    ['budgetDuration', '30d', '30d'],
    ['budgetDuration', 'monthly', null],
    ['budgetDuration', '', null],
    ['tpmLimit', 0, '0'],
    ['rpmLimit', 1.5, null],
    ['models', [], 'all-proxy-models'],
    ['models', ['all-proxy-models'], 'all-proxy-models'],
    ['models', ['b', 'a', 'a'], 'b;a;a'],
    ['models', ['a;b'], null],
    ['models', [' a'], null],
    ['models', ['-'], null],
    ['models', [''], null],
  ] as const)('a user’s %s %j is exported as %j', (field, had, cell) => {
    expect(limitCell(field, had)).toBe(cell);
  });
});

describe('an expiry', () => {
  const expires = (cell: string) => list(`email,expires\na@x.io,${cell}\n`);

  it.each(['2027-01-31', '2028-02-29', '2000-02-29', '2027-12-31'])('%s', (day) => {
    expect(expires(day)).toMatchObject({ problems: [], rows: [{ expires: day, columns: { expires: 2 } }] });
  });

  it.each(['', '-'])('none: %j', (cell) => {
    expect(expires(cell)).toMatchObject({ problems: [], rows: [{ expires: null }] });
  });

  it.each([
    '2027-02-29',
    '1900-02-29',
    '2027-13-01',
    '2027-00-10',
    '2027-04-31',
    '2027-04-00',
    '27-04-01',
    '2027/04/01',
    '31.12.2027',
  ])('no day: %s', (cell) => {
    expect(expires(cell).problems.map(({ message }) => message)).toEqual([
      `Invalid expires \`${cell}\`. Allowed: a day as YYYY-MM-DD (2027-01-31), \`-\` for none, or blank.`,
    ]);
  });

  const directory = teamDirectory([team('red')]);
  const wrong = 'no-such-role,no-such-team,$5,2026-06-14';
  const checked = (text: string, known: string[]) =>
    desiredUsers(list(`email,role,team_name,max_budget,expires\n${text}\n`), {
      directory,
      emails: new Set(known),
      today: TODAY,
    }).problems.map(({ columnName }) => columnName);

  it('over, without a user: only email and date count', () => {
    expect(checked(`a@x.io,${wrong}`, [])).toEqual([]);
    expect(checked(`a@x.io,${wrong}`, ['a@x.io'])).toEqual(['role', 'max_budget', 'team_name']);
    expect(checked(`a@x.io,${wrong.replace('-14', '-15')}`, [])).toEqual(['role', 'max_budget', 'team_name']);
    expect(checked(`a@,${wrong}`, [])).toEqual(['email']);
    expect(checked(`a@x.io,${wrong},x`, [])).toEqual([undefined]);
  });

  it('is looked at without the proxy, too', () => {
    const text = `email,role,expires\na@x.io,boss,2020-01-31\nb@,boss,\nc@x.io,,2020-02-30\n`;
    expect(problemsOffline(list(text), TODAY).map(({ line, columnName }) => [line, columnName])).toEqual([
      [3, 'role'],
      [4, 'expires'],
      [3, 'email'],
    ]);
  });
});

describe('a rename', () => {
  const HEAD = 'email,previous_email';
  it.each([
    ['from the row’s own email', 'a@x.io,A@x.io', ["2:2 `A@x.io` is the row's own email."]],
    ['from another row’s email', 'a@x.io,b@x.io\nb@x.io,', ['2:2 `b@x.io` on line 2 is the email of line 3, too']],
    [
      'of one user twice',
      'a@x.io,o@x.io\nb@x.io,O@x.io',
      ['3:2 previous_email `O@x.io` stands on line 2 already, and again on line 3.'],
    ],
    ['of none', 'a@x.io,\nb@x.io,-', []],
    ['of each', 'a@x.io,o@x.io\nb@x.io,p@x.io', []],
  ])('%s', (_, rows, expected) => {
    expect(told(`${HEAD}\n${rows}\n`)).toEqual(expected.map((text) => expect.stringContaining(text)));
  });

  it.each([
    ['odd and unknown', [], ['Invalid email format: `root@localhost`. Expected name@example.com.']],
    ['on the proxy', ['root@localhost'], []],
    ['done before', ['a@x.io'], []],
  ])('from an address that is %s', (_, known, expected) => {
    const { rows } = list(`${HEAD}\na@x.io,root@localhost\n`);
    expect(badEmails(rows, new Set(known)).map(({ message }) => message)).toEqual(expected);
  });
});

describe('a name that holds the email of somebody', () => {
  const problems = (text: string) =>
    desiredUsers(list(`email,key_name,previous_email,models\n${text}\n`), {
      directory: teamDirectory([]),
      emails: new Set(['bob@x.io', 'ob@x.io', 'bob@x.i']),
      today: TODAY,
    }).problems.map(({ line, column }) => [line, column]);

  it('who has no row is a lost line break', () => {
    expect(problems('ada@x.io,Bob@x.io')).toEqual([[2, 2]]);
    expect(problems('ada@x.io,"bob@x.io,internal_user",')).toEqual([[2, 2]]);
    expect(problems('ada@x.io,"ada-keybob@x.iointernal_user",')).toEqual([[2, 2]]);
    expect(problems('ada@x.io,,,gpt;bob@x.io')).toEqual([[2, 4]]);
  });

  it('who has a row, or is nobody of the proxy, is a name', () => {
    expect(problems('ada@x.io,bob@x.io,,gpt\nbob@x.io,')).toEqual([]);
    expect(problems('ada@x.io,bob@x.io,bob@x.io')).toEqual([]);
    expect(problems('ada@x.io,carl@x.io,,@x.io')).toEqual([]);
  });

  it('names the longest of those that it may be', () => {
    const { problems: found } = desiredUsers(list('email,key_name\nada@x.io,bob@x.io\n'), {
      directory: teamDirectory([]),
      emails: new Set(['ob@x.io', 'bob@x.io']),
      today: TODAY,
    });
    expect(found.map(({ message }) => message)).toEqual([expect.stringContaining('no row (`bob@x.io`)')]);
  });
});

describe('a cell in a problem', () => {
  it('is named by its column as the file writes it, and by the email of its row', () => {
    const { header, rows } = list('Mail,Teams\nann@x.io,red\n');
    const problem = (line: number | null, column: number | null) => ({ line, column, message: 'x' });
    const named = withCells([problem(2, 2), problem(1, 2), problem(2, null), problem(null, null), problem(2, 9)], {
      header,
      rows,
    });
    expect(named).toEqual([
      { ...problem(2, 2), columnName: 'Teams', email: 'ann@x.io' },
      { ...problem(1, 2), columnName: 'Teams' },
      { ...problem(2, null), email: 'ann@x.io' },
      problem(null, null),
      { ...problem(2, 9), email: 'ann@x.io' },
    ]);
  });
});
