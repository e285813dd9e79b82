import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sha } from '../github/support.ts';
import { channels, expectUnseen, secretsIn } from './support/canary.ts';
import { type Payload, World } from './support/world.ts';

/** In a public repository, where an upload of unencrypted secrets would be refused. */
function isPublic({ repository }: Payload): void {
  Object.assign(repository, { visibility: 'public', private: false });
}

interface Encrypted {
  readonly age: Buffer;
  /** The file as it was before. */
  readonly csv: string;
}

async function uploadTo(recipients: string): Promise<Encrypted> {
  const world = await World.create();
  world.publish(sha('e'));
  const run = await world.run('workflow_dispatch', { payload: isPublic, inputs: { 'encrypt-to': recipients } });
  expect(run.code).toBe(0);
  expect(world.artifacts.filesOf('onboarding-links')).toEqual(['onboarding_links.csv.age']);
  const [directory = ''] = readdirSync(world.temp);
  const file = (name: string): string => join(world.temp, directory, name);
  expect(statSync(file('onboarding_links.csv.age')).mode & 0o777).toBe(0o600);
  const csv = readFileSync(file('onboarding_links.csv'), 'utf8');
  const { keys, invitations, links } = secretsIn(csv);
  expect([keys.length, links.length]).toEqual([1, 1]);
  const age = world.artifacts.finished.get('onboarding-links')?.get('onboarding_links.csv.age') as Buffer;
  const seen = channels(run, world, join(world.temp, directory)).set('encrypted file', age.toString('latin1'));
  expectUnseen([...keys, ...invitations, ...links], seen);
  return { age, csv };
}

describe('encrypt-to', () => {
  it('uploads the encrypted file alone, for each of several recipients', async () => {
    const [first, second, other] = await Promise.all([generateIdentity(), generateIdentity(), generateIdentity()]);
    const recipients = await Promise.all([first, second].map((identity) => identityToRecipient(identity)));
    const { age, csv } = await uploadTo(recipients.join('\n'));
    for (const identity of [first, second]) expect(await decrypted(age, identity)).toBe(csv);
    await expect(decrypted(age, other)).rejects.toThrow();
  });

  it('keeps an older encrypted file under another name', async () => {
    const world = await World.create();
    world.publish(sha('e'));
    const directory = join(world.folder, 'results');
    mkdirSync(directory);
    writeFileSync(join(directory, 'onboarding_links.csv.age'), 'older', { mode: 0o644 });
    const recipient = await identityToRecipient(await generateIdentity());
    const inputs = { 'encrypt-to': recipient, 'output-directory': directory };
    expect((await world.run('workflow_dispatch', { inputs })).code).toBe(0);
    expect(readFileSync(join(directory, 'onboarding_links-1.csv.age'), 'utf8')).toBe('older');
    expect(statSync(join(directory, 'onboarding_links.csv.age')).mode & 0o777).toBe(0o600);
    expect(world.artifacts.filesOf('onboarding-links')).toEqual(['onboarding_links.csv.age']);
  });
});

async function decrypted(age: Buffer, identity: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(age, 'text');
}

const { AGE_BIN } = process.env;

/** The folder of the programs of `filippo.io/age`: `.ci/run` installs them and names it. */
describe.skipIf(AGE_BIN === undefined)('the age of filippo.io', () => {
  const program = (name: string, ...args: string[]): string =>
    execFileSync(join(AGE_BIN ?? '', name), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

  it('decrypts what we encrypted, and makes identities that we encrypt to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'age-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const identity = join(folder, 'identity.txt');
    program('age-keygen', '-o', identity);
    const recipient = /public key: (age1\w+)/.exec(readFileSync(identity, 'utf8'))?.[1] ?? '';
    const { age, csv } = await uploadTo(recipient);
    const encrypted = join(folder, 'onboarding_links.csv.age');
    writeFileSync(encrypted, age);
    expect(program('age', '--decrypt', '-i', identity, encrypted)).toBe(csv);
  });
});
