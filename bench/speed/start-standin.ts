import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Target } from './ours.ts';

/** Runs with a stand-in in a process of its own, holding so many users. */
export async function withStandinProcess<R>(users: number, use: (proxy: Target) => Promise<R>): Promise<R> {
  const script = join(import.meta.dirname, 'standin.ts');
  const child = spawn(process.execPath, ['--max-old-space-size=4096', script, String(users)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    return await use(JSON.parse(line));
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}
