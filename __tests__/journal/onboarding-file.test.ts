import { chmod, lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { OnboardingRow } from '../../src/core/outcome.ts';
import { Secret } from '../../src/core/secret.ts';
import { OnboardingFile } from '../../src/journal/onboarding-file.ts';
import { linksIn, temporaryDirectory } from '../apply/setup.ts';

const HEADER = 'email,user_id,role,team_name,key_name,api_key,invitation_id,expires_at,onboarding_link';

function row(
  userId: string,
  key: string | null,
  link: string | null,
  more: Partial<OnboardingRow> = {},
): OnboardingRow {
  return {
    email: `${userId}@example.com`,
    userId,
    role: 'internal_user',
    teamName: 'Team, "A"',
    keyName: '',
    apiKey: key === null ? null : new Secret(key),
    invitationId: link === null ? null : new Secret(`id-${link}`),
    expiresAt: link === null ? '' : '2030-01-08T00:00:00Z',
    link: link === null ? null : new Secret(`https://llm.example.com/ui/?invitation_id=id-${link}`),
    delivery: '',
    delivered: false,
    ...more,
  };
}

async function file(text?: string): Promise<{ directory: string; path: string; links: OnboardingFile }> {
  const directory = await temporaryDirectory();
  const links = new OnboardingFile(directory);
  if (text !== undefined) await writeFile(links.path, text);
  return { directory, path: links.path, links };
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

describe('onboarding_links.csv', () => {
  it('has every row on disk before the append resolves, mode 0600, then one row per user', async () => {
    const { directory, path, links } = await file();
    await links.append([row('u', 'sk-1', null), row('v', null, null)]);
    expect(await linksIn(directory)).toMatchObject([{ user_id: 'u', api_key: 'sk-1', onboarding_link: '' }]);
    expect(await modeOf(path)).toBe(0o600);
    await links.append([row('u', null, 'x')]);
    await links.append([row('w', 'sk-2', 'y')]);
    expect(await linksIn(directory)).toHaveLength(3);
    await links.compact();
    expect(await linksIn(directory)).toMatchObject([
      { user_id: 'u', team_name: 'Team, "A"', api_key: 'sk-1', invitation_id: 'id-x' },
      { user_id: 'w', api_key: 'sk-2', invitation_id: 'id-y' },
    ]);
    expect(await modeOf(path)).toBe(0o600);
    expect(await readdir(directory)).toEqual(['onboarding_links.csv']);
  });

  it('keeps the rows of earlier runs, with BOM, CRLF and no last line end, and closes the file to others', async () => {
    const earlier = `\uFEFF${HEADER}\r\n'+x@example.com,old,,,,sk-old,id-o,2029-01-01,https://llm.example.com/ui\r\nb@example.com,b,,,,sk-b,id-b,2029-01-01,https://l/?invitation_id=id-b`;
    const { directory, path, links } = await file(earlier);
    await chmod(path, 0o644);
    await links.append([row('u', 'sk-1', 'x')]);
    expect(await modeOf(path)).toBe(0o600);
    await links.compact();
    const rows = await linksIn(directory);
    expect(rows).toMatchObject([
      { email: "'+x@example.com", user_id: 'old', onboarding_link: 'https://llm.example.com/ui' },
      { user_id: 'b', api_key: 'sk-b', onboarding_link: 'https://l/?invitation_id=id-b' },
      { user_id: 'u', api_key: 'sk-1' },
    ]);
  });

  it.each(['email,link\nx,y\n', 'something else'])('moves a file that is not ours to a free name: %j', async (text) => {
    const { directory, links } = await file(text);
    await writeFile(join(directory, 'onboarding_links-1.csv'), 'taken');
    await links.append([row('u', 'sk-1', 'x')]);
    await links.compact();
    expect(await readFile(join(directory, 'onboarding_links-2.csv'), 'utf8')).toBe(text);
    expect(await readFile(join(directory, 'onboarding_links-1.csv'), 'utf8')).toBe('taken');
    expect(await linksIn(directory)).toHaveLength(1);
  });

  it('does not write secrets through a link that somebody laid there', async () => {
    const { directory, path, links } = await file();
    const elsewhere = join(directory, 'public.txt');
    await writeFile(elsewhere, `${HEADER}\n`);
    await symlink(elsewhere, path);
    await links.append([row('u', 'sk-1', 'x')]);
    await links.close();
    expect(await readFile(elsewhere, 'utf8')).toBe(`${HEADER}\n`);
    expect((await lstat(path)).isFile()).toBe(true);
  });

  it.each([
    ['in the key', 'u@example.com,u,internal_user,t,k,sk-12', {}],
    ['after the key', 'u@example.com,u,internal_user,t,k,sk-1234,', { apiKey: 'sk-1234' }],
    [
      'in the link',
      'u@example.com,u,internal_user,t,k,sk-1234,id-x,2030-01-08,https://l/?invitation_id=id',
      { apiKey: 'sk-1234' },
    ],
    ['in quotes', 'u@example.com,u,internal_user,"Team, ', {}],
  ])('trusts no cell that was cut: %s', async (_, cut, secrets: { apiKey?: string }) => {
    const { directory, links } = await file(`${HEADER}\n${cut}`);
    const stored = (await links.read()).get('u');
    expect(stored?.apiKey?.reveal()).toBe(secrets.apiKey);
    expect(stored?.link ?? null).toBeNull();
    await links.append([row('v', 'sk-v', 'v')]);
    await links.append([row('u', 'sk-new', 'u')]);
    await links.compact();
    expect((await linksIn(directory)).map((one) => [one.user_id, one.api_key]).toSorted()).toEqual([
      ['u', 'sk-new'],
      ['v', 'sk-v'],
    ]);
  });

  it('has a form that other tools rely on', async () => {
    const { path, links } = await file();
    const key = { keyName: 'bot', teamName: '-' };
    await links.append([row('u', 'sk-1111', '1', key), row('=v', null, '2', { role: '' })]);
    await links.compact();
    await expect(await readFile(path, 'utf8')).toMatchFileSnapshot('../golden/onboarding_links.csv');
  });

  it('writes its header even where there is nothing to tell', async () => {
    const { path, links } = await file();
    await links.compact();
    expect(await readFile(path, 'utf8')).toBe(`${HEADER}\n`);
  });

  it('fails every append after one has failed', async () => {
    const { directory } = await file();
    const links = new OnboardingFile(join(directory, 'missing'));
    await expect(links.append([row('u', 'sk-1', null)])).rejects.toThrow('ENOENT');
    await expect(links.append([row('u', 'sk-1', null)])).rejects.toThrow('ENOENT');
  });
});
