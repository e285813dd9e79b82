import type { SeedUser } from '../proxy.ts';

/** So many users in one team: `user-001@example.com` and on. */
export function crowd(count: number, team: string): SeedUser[] {
  return Array.from({ length: count }, (_, index) => ({
    email: `user-${String(index + 1).padStart(3, '0')}@example.com`,
    role: 'internal_user',
    teams: [team],
  }));
}

export function user(name: string, role = 'internal_user', ...teams: string[]): SeedUser {
  return { email: `${name}@example.com`, role, teams };
}
