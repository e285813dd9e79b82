import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DirectoryInUseError, holdDirectory, LOCK_FILE } from '../../src/files/lock.ts';

const MODULE = resolve('src/files/lock.ts');
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Another process that holds the directory until it is told to end. */
async function holder() {
  const script = `import { holdDirectory } from ${JSON.stringify(MODULE)}; await holdDirectory(${JSON.stringify(directory)}); console.log('held'); process.stdin.on('end', () => process.exit()).resume();`;
  const child = spawn('node', ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  await new Promise<void>((done) => child.stdout.once('data', () => done()));
  return { child, ended };
}

it('keeps a second run out while the first one lives, and lets it in after its end', async () => {
  const { child, ended } = await holder();
  await expect(holdDirectory(directory)).rejects.toThrow(DirectoryInUseError);
  await expect(holdDirectory(directory)).rejects.toThrow(`process ${child.pid}`);
  child.stdin.end();
  await ended;
  await expect(readFile(join(directory, LOCK_FILE))).rejects.toThrow('ENOENT');
  await holdDirectory(directory);
  await holdDirectory(directory);
});

it('takes over from a run that was killed', async () => {
  const { child, ended } = await holder();
  child.kill('SIGKILL');
  await ended;
  await holdDirectory(directory);
  expect(await readFile(join(directory, LOCK_FILE), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
});

/** A process that tries to hold each folder that it is told; answers with its id where it got it, else with a blank. */
function contender() {
  const script = `
    import { createInterface } from 'node:readline';
    import { DirectoryInUseError, holdDirectory } from ${JSON.stringify(MODULE)};
    for await (const folder of createInterface(process.stdin)) {
      const answer = await holdDirectory(folder).then(() => process.pid, (error) => {
        if (!(error instanceof DirectoryInUseError)) throw error;
        return '';
      });
      console.log(answer);
    }`;
  const child = spawn('node', ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    tryToHold: async (folder: string): Promise<string> => {
      child.stdin.write(`${folder}\n`);
      const { value = 'ended' } = await answers.next();
      return value;
    },
    end: () => child.stdin.end(),
  };
}

it('is held by exactly one of several that come at once, whatever lock a killed run left', async () => {
  const contenders = Array.from({ length: 4 }, contender);
  for (let round = 0; round < 24; round++) {
    const folder = await mkdtemp(join(directory, 'round-'));
    const left = ['999999999 1', '', null][round % 3] ?? null;
    if (left !== null) await writeFile(join(folder, LOCK_FILE), left);
    const answers = await Promise.all(contenders.map(({ tryToHold }) => tryToHold(folder)));
    const winners = answers.filter((answer) => answer !== '');
    expect(winners, `round ${round}`).toHaveLength(1);
    expect((await readFile(join(folder, LOCK_FILE), 'utf8')).split(' ')[0]).toBe(winners[0]);
    expect(await readdir(folder)).toEqual([LOCK_FILE]);
  }
  for (const { end } of contenders) end();
});

it.each(['', 'nonsense', '999999999 1', `${process.ppid} 1`])(
  'takes over from %j, whose process is not there any more',
  async (text) => {
    await writeFile(join(directory, LOCK_FILE), text);
    await holdDirectory(directory);
    expect(await readFile(join(directory, LOCK_FILE), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
  },
);
