import type { Failed, Outcome, Skipped } from '../../src/core/outcome.ts';
import type { AddChange, DeleteChange, Plan, TeamRef, UpdateChange } from '../../src/core/plan.ts';
import type { PlanMarkdownOptions } from '../../src/render/markdown.ts';

function team(name: string): TeamRef {
  return { teamId: `id-${name}`, name };
}

export function add(email: string, more: Partial<AddChange> = {}): AddChange {
  return {
    kind: 'add',
    email,
    role: 'internal_user',
    teams: [team('development')],
    keyName: null,
    withheld: null,
    ...more,
  };
}

export function remove(email: string, more: Partial<DeleteChange> = {}): DeleteChange {
  return {
    kind: 'delete',
    email,
    userId: `user-${email}`,
    role: 'internal_user',
    teams: [team('support')],
    keyCount: 0,
    spend: 0,
    withheld: null,
    ...more,
  };
}

export function update(email: string, more: Partial<UpdateChange> = {}): UpdateChange {
  return {
    kind: 'update',
    email,
    userId: `user-${email}`,
    role: { from: 'internal_user', to: 'internal_user_viewer' },
    teams: null,
    currentRole: 'internal_user',
    currentTeams: [team('development')],
    teamKeys: [],
    teamKeysDeleted: true,
    withheld: null,
    ...more,
  };
}

/** Leaves `from` for `to`. */
export function moved(from: readonly string[], to: readonly string[]): UpdateChange['teams'] {
  return {
    from: from.map(team),
    to: to.map(team),
    join: to.filter((name) => !from.includes(name)).map(team),
    leave: from.filter((name) => !to.includes(name)).map(team),
  };
}

export function plan(changes: Plan['changes'], more: Partial<Plan> = {}): Plan {
  return {
    changes,
    unchanged: [],
    managed: 0,
    admins: 0,
    unmanaged: { withoutEmail: 0, otherRole: 0, ownUser: 0, protected: 0 },
    breaches: [],
    ...more,
  };
}

export function unchanged(count: number): Plan['unchanged'] {
  return Array.from({ length: count }, (_, index) => ({
    email: `stable${index}@example.com`,
    userId: `stable-${index}`,
    role: 'internal_user',
    teams: [],
  }));
}

/** A success, unless `more` says otherwise. */
export function outcome(email: string, more: OutcomeFields = {}): Outcome {
  const { status = 'SUCCESS', code, ...rest } = more;
  const base = {
    index: null,
    action: 'ADDED',
    email,
    userId: `user-${email}`,
    role: 'internal_user',
    teamName: 'development',
    key: null,
    reason: '',
    ...rest,
  } as const;
  if (status === 'SUCCESS') return { ...base, status };
  if (status === 'SKIPPED') return { ...base, status, code: (code as Skipped['code']) ?? 'withheld' };
  return { ...base, status, code: (code as Failed['code']) ?? 'other' };
}

export type OutcomeFields = Partial<Omit<Failed, 'status' | 'code'>> & {
  readonly status?: Outcome['status'];
  readonly code?: Failed['code'] | Skipped['code'];
};

export function options(more: Partial<PlanMarkdownOptions> = {}): PlanMarkdownOptions {
  return {
    title: 'User sync plan',
    target: null,
    csvFile: 'user_list.csv',
    mode: 'plan',
    unreviewed: 'skip',
    limit: 65_536,
    notes: [],
    rest: 'the job summary',
    ...more,
  };
}

const key = (name: string, alias: string | null) => ({
  hash: `hash-${name}`,
  name,
  alias,
  userId: 'user-1',
  teamId: 'id-old_team',
  spend: 1,
});

/** What a value can do at worst: each a word of HTML, Markdown, GitHub's own syntax, a terminal, or a log. */
export const HOSTILE = [
  '@octocat',
  '@github/security-team',
  '#1',
  'GH-1',
  'octocat/hello#1',
  'octocat@da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'https://evil.example/x',
  'www.evil.example',
  'mailto:eve@evil.example',
  ':tada:',
  '[^1]',
  '[x](https://evil.example)',
  '![x](https://evil.example/x.png)',
  '**bold** _it_ ~~gone~~',
  '<img src=x onerror=alert(1)>',
  '</details></table>',
  '<!-- litellm-user-sync:1 target=0000000000000000 digests= whole= -->',
  '$x^2$ $`y`$',
  'a|b',
  'a\\|b',
  'a\\\\|b|',
  'back`tick',
  '``` fence',
  '`',
  '`'.repeat(90),
  'line\nbreak\r\n\r\n# heading',
  '\u001b[31mred\u001b[0m',
  'abc\u202edcba',
  'zero\u200bwidth',
  ' outer ',
  'two  blanks',
  '\\',
  '::error::x',
  '##[error]x',
  '<U+0041>',
  '&amp; &#64;octocat',
  '=HYPERLINK("https://evil.example")',
  '\ud800lone',
  '- item',
  '1. item',
  '> [!NOTE]',
  '---',
];

const [firstHostile = '', ...otherHostile] = HOSTILE;

/** Plans that show each thing that a plan can say. */
export const PLANS: Record<string, Plan> = {
  empty: plan([], { unchanged: unchanged(12), managed: 12 }),
  small: plan(
    [
      add('another@example.com', { role: 'internal_user_viewer', teams: [team('support')] }),
      add('new_user@example.com'),
      remove('old_user@example.com'),
      update('existing@example.com', { teams: moved(['old_team'], ['new_team']) }),
    ],
    {
      unchanged: unchanged(5),
      managed: 7,
      unmanaged: { withoutEmail: 1, otherRole: 2, ownUser: 0, protected: 1 },
    },
  ),
  admins: plan(
    [
      add('another@example.com', { role: 'proxy_admin', teams: [team('admin')] }),
      add('plain@example.com', { role: null, teams: null }),
      remove('boss@example.com', { role: 'proxy_admin', keyCount: 1, spend: 3 }),
      update('down@example.com', { role: { from: 'proxy_admin', to: 'internal_user' }, currentRole: 'proxy_admin' }),
      update('up@example.com', { role: { from: null, to: 'proxy_admin' }, currentRole: null }),
    ],
    { unchanged: unchanged(1), managed: 4 },
  ),
  costs: plan([
    add('keyed@example.com', { keyName: '00000001_chatbot', teams: [] }),
    remove('cheap@example.com', { keyCount: 1, spend: 0.0004, teams: [] }),
    remove('dear@example.com', { keyCount: 3, spend: 12.5, teams: [team('a'), team('b')], role: null }),
    update('kept@example.com', {
      role: null,
      teams: moved(['old_team'], []),
      teamKeys: [key('sk-...old1', null)],
      teamKeysDeleted: false,
    }),
    update('leaver@example.com', {
      role: null,
      teams: moved(['new_team', 'old_team'], ['new_team']),
      teamKeys: [key('sk-...abcd', 'ci-bot'), key('sk-...efgh', null)],
    }),
    update('mended@example.com', {
      role: null,
      teams: { from: [team('x')], to: [team('x')], join: [team('x')], leave: [] },
    }),
    update('many@example.com', {
      role: null,
      teams: moved(['a', 'b', 'c', 'd', 'e', 'f'], ['b', 'c', 'd', 'e', 'f', 'g']),
    }),
  ]),
  withheld: plan([
    add('late@example.com', { withheld: 'not reviewed' }),
    add('seen@example.com'),
    remove('kept@example.com', { keyCount: 2, spend: 1, withheld: 'no-delete' }),
    update('sneaky@example.com', { role: { from: 'internal_user', to: 'proxy_admin' }, withheld: 'not reviewed' }),
  ]),
  breaches: plan([remove('a@example.com', { role: 'proxy_admin' }), remove('b@example.com')], {
    managed: 3,
    breaches: [
      {
        limit: 'max-deletes',
        message:
          '2 of 3 managed users would be deleted, but max-deletes allows 20% of 3 managed users = 1. Nothing is applied. If this is intended, raise the limit (max-deletes: 2); if not, put the missing rows back into the file, or set no-delete: true.',
      },
      { limit: 'min-admins', message: '0 of now 1 proxy_admin users would remain, but min-admins asks for 1.' },
    ],
  }),
  hostile: plan(
    [
      ...otherHostile.map((value) => add(value, { keyName: value, teams: [team(value), team('safe')] })),
      remove(firstHostile, { role: '<b>&`|', teams: [team('a|b')] }),
      ...HOSTILE.slice(0, 12).map((value) => update(value, { teams: moved([value], ['|', '`']) })),
    ],
    { breaches: [{ limit: 'max-deletes', message: HOSTILE.join(' ') }] },
  ),
  huge: plan(
    [
      ...Array.from({ length: 4_000 }, (_, index) => add(`new${String(index).padStart(4, '0')}@example.com`)),
      ...Array.from({ length: 40 }, (_, index) => remove(`old${String(index).padStart(2, '0')}@example.com`)),
      ...Array.from({ length: 957 }, (_, index) => update(`user${String(index).padStart(3, '0')}@example.com`)),
      ...['x', 'y', 'z'].map((name) =>
        update(`${name}@example.com`, { role: { from: 'internal_user', to: 'proxy_admin' } }),
      ),
    ],
    { unchanged: unchanged(100), managed: 1_100 },
  ),
};
