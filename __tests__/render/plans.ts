import type { UserLimits } from '../../src/core/inventory.ts';
import type { Failed, Outcome, Skipped } from '../../src/core/outcome.ts';
import type {
  AddChange,
  DeactivateChange,
  DeleteChange,
  InviteChange,
  KeyFate,
  LeftKey,
  Plan,
  TeamRef,
  UpdateChange,
} from '../../src/core/plan.ts';
import type { PlanMarkdownOptions } from '../../src/render/plan-markdown.ts';

function team(name: string): TeamRef {
  return { teamId: `id-${name}`, name };
}

export function add(email: string, more: Partial<AddChange> = {}): AddChange {
  return {
    kind: 'add',
    line: 7,
    email,
    role: 'internal_user',
    teams: [team('development')],
    keyName: null,
    limits: {},
    conflicts: [],
    withheld: null,
    ...more,
  };
}

export function remove(email: string, more: Partial<DeleteChange> = {}): DeleteChange {
  return {
    kind: 'delete',
    line: null,
    email,
    userId: `user-${email}`,
    role: 'internal_user',
    teams: [team('support')],
    keyCount: 0,
    spend: 0,
    active: true,
    expired: null,
    withheld: null,
    ...more,
  };
}

export function deactivate(email: string, more: Partial<DeactivateChange> = {}): DeactivateChange {
  return { ...remove(email), kind: 'deactivate', ...more };
}

export function invite(email: string, more: Partial<InviteChange> = {}): InviteChange {
  return { kind: 'invite', email, userId: `user-${email}`, role: 'internal_user', teams: [], withheld: null, ...more };
}

const UNLIMITED: UserLimits = { maxBudget: null, budgetDuration: null, tpmLimit: null, rpmLimit: null, models: [] };

export function update(email: string, more: Partial<UpdateChange> = {}): UpdateChange {
  return {
    kind: 'update',
    line: 9,
    email,
    userId: `user-${email}`,
    role: { from: 'internal_user', to: 'internal_user_viewer' },
    rename: null,
    teams: null,
    limits: [],
    reactivates: false,
    currentRole: 'internal_user',
    currentTeams: [team('development')],
    currentLimits: UNLIMITED,
    spend: 0,
    keyFates: [],
    leftKeys: [],
    losses: [],
    conflicts: [],
    approvedAsAdd: null,
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
    rejoin: [],
    leave: from.filter((name) => !to.includes(name)).map(team),
  };
}

export function plan(changes: Plan['changes'], more: Partial<Plan> = {}): Plan {
  return {
    changes,
    unchanged: [],
    managed: 0,
    admins: 0,
    unmanaged: { withoutEmail: 0, otherRole: 0, ownUser: 0, protected: 0, deactivated: 0 },
    deactivated: 0,
    breaches: [],
    warnings: [],
    notes: [],
    leavingSoon: [],
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
    earlier: null,
    obstacle: null,
    limit: 65_536,
    notes: [],
    rest: 'the job summary',
    ...more,
  };
}

const DELETED: KeyFate = { fate: 'deleted', to: null };
const SURVIVES: KeyFate = { fate: 'survives', to: null };
const toTeam = (name: string): KeyFate => ({ fate: 'moves', to: team(name) });

function key(name: string, alias: string | null, fate: KeyFate): LeftKey {
  return {
    ...fate,
    key: { hash: `hash-${name}`, name, alias, userId: 'user-1', teamId: 'id-old_team', spend: 1 },
  };
}

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
      unmanaged: { withoutEmail: 1, otherRole: 2, ownUser: 0, protected: 1, deactivated: 0 },
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
      keyFates: [{ ...SURVIVES, team: team('old_team') }],
      leftKeys: [key('sk-...old1', null, SURVIVES)],
    }),
    update('leaver@example.com', {
      role: null,
      teams: moved(['new_team', 'old_team'], ['new_team']),
      keyFates: [{ ...DELETED, team: team('old_team') }],
      leftKeys: [key('sk-...abcd', 'ci-bot', DELETED), key('sk-...efgh', null, DELETED)],
    }),
    update('mended@example.com', {
      role: null,
      teams: { from: [team('x')], to: [team('x')], join: [team('x')], rejoin: [], leave: [] },
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
        stops: true,
        message:
          '2 of 3 managed users would be deleted, but max-deletes allows 20% of 3 managed users = 1. Nothing is applied. If this is intended, raise the limit (max-deletes: 2); if not, put the missing rows back into the file, or set no-delete: true.',
      },
      {
        limit: 'min-admins',
        stops: true,
        message: '0 of now 1 proxy_admin users would remain, but min-admins asks for 1.',
      },
    ],
  }),
  hostile: plan(
    [
      ...otherHostile.map((value) => add(value, { keyName: value, teams: [team(value), team('safe')] })),
      remove(firstHostile, { role: '<b>&`|', teams: [team('a|b')] }),
      ...HOSTILE.slice(0, 12).map((value) => update(value, { teams: moved([value], ['|', '`']) })),
    ],
    {
      breaches: [{ limit: 'max-deletes', stops: true, message: HOSTILE.join(' ') }],
      warnings: HOSTILE.slice(0, 5),
      notes: HOSTILE.slice(5),
      leavingSoon: HOSTILE.slice(0, 5).map((value) => ({ line: 3, email: value, expires: value })),
    },
  ),
  everything: plan(
    [
      add('boss@example.com', { role: 'proxy_admin', line: 2 }),
      add('full@example.com', {
        line: 3,
        keyName: 'full-key',
        limits: { maxBudget: 100, budgetDuration: '30d', tpmLimit: 5000, rpmLimit: 0, models: ['gpt-5', 'claude'] },
        conflicts: [{ team: team('development'), userId: 'gone' }],
      }),
      remove('dear@example.com', { userId: '3f2a91bc-7d6e-4f10', keyCount: 3, spend: 12.5 }),
      remove('expired@example.com', { line: 12, expired: '2026-06-01', keyCount: null, active: false }),
      remove('late@example.com', { line: 13, expired: '2026-06-02', withheld: 'max-deletes' }),
      deactivate('away@example.com', {
        keyCount: 1,
        spend: 3,
        teams: [{ teamId: 't-1', name: 't-1', alias: 'sales' }],
      }),
      deactivate('chief@example.com', { role: 'proxy_admin', keyCount: 0, expired: '2026-06-01', line: 14 }),
      update('back@example.com', { line: 15, role: null, reactivates: true }),
      update('clear@example.com', {
        line: 16,
        role: null,
        limits: [
          { field: 'tpmLimit', from: 1000, to: null },
          { field: 'rpmLimit', from: 60, to: 0 },
          { field: 'models', from: [], to: ['gpt-5'] },
        ],
        currentLimits: { ...UNLIMITED, tpmLimit: 1000, rpmLimit: 60 },
      }),
      update('hidden@example.com', {
        line: 17,
        role: null,
        teams: moved(['development', 'old_team'], ['development']),
        keyFates: [{ ...toTeam('development'), team: team('old_team') }],
        leftKeys: 'unknown',
      }),
      update('joins@example.com', { line: 18, role: null, teams: moved(['a'], ['a', 'b']) }),
      update('lead@example.com', {
        line: 19,
        role: { from: 'internal_user', to: 'internal_user_viewer' },
        teams: moved(['old_team'], ['new_team']),
        limits: [{ field: 'maxBudget', from: 50, to: 200 }],
        currentLimits: { ...UNLIMITED, maxBudget: 50, budgetDuration: '30d' },
        spend: 48.1,
        keyFates: [{ ...toTeam('new_team'), team: team('old_team') }],
        leftKeys: [key('sk-...abcd', 'ci-bot', toTeam('new_team')), key('sk-...efgh', null, toTeam('new_team'))],
        losses: [
          { team: team('old_team'), what: 'team admin role' },
          { team: team('old_team'), what: 'own budget in the team' },
        ],
      }),
      update('mended@example.com', {
        line: 20,
        role: null,
        teams: {
          from: [team('old_team')],
          to: [team('old_team')],
          join: [team('old_team')],
          rejoin: [team('old_team')],
          leave: [],
        },
        keyFates: [{ ...DELETED, team: team('old_team') }],
        leftKeys: [key('sk-...ijkl', null, DELETED)],
      }),
      update('new.name@example.com', {
        line: 21,
        role: null,
        rename: { from: 'old.name@example.com', to: 'new.name@example.com' },
        limits: [{ field: 'budgetDuration', from: null, to: '7d' }],
        currentLimits: { ...UNLIMITED, maxBudget: 33.333333 },
        spend: 0.004,
      }),
      update('root@example.com', {
        line: 22,
        role: null,
        rename: { from: 'admin@example.com', to: 'root@example.com' },
        currentRole: 'proxy_admin',
      }),
      update('up@example.com', { line: 23, role: { from: null, to: 'proxy_admin' }, currentRole: null }),
    ],
    {
      unchanged: unchanged(3),
      managed: 20,
      admins: 3,
      unmanaged: { withoutEmail: 1, otherRole: 2, ownUser: 1, protected: 1, deactivated: 2 },
      deactivated: 4,
      breaches: [
        {
          limit: 'max-deletes',
          stops: false,
          message:
            '5 of 20 managed users would be deleted, but max-deletes allows 20% of 20 managed users = 4. 1 of the 3 expired accounts stays for now, the rest is applied. If this is intended, raise the limit (max-deletes: 5); if not, put a later date into `expires`.',
        },
      ],
      warnings: [
        "The proxy's model list has no `gpt-5` (line 3). Did you mean `gpt-5.1`? It is sent as it is written.",
      ],
      notes: ['`full@example.com` is new and `dear@example.com` leaves: a slip, or one person with a new address?'],
      leavingSoon: [{ line: 18, email: 'joins@example.com', expires: '2026-07-01' }],
    },
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
