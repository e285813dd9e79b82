import { expectGolden as expectText } from '../../render/golden.ts';
import type { Run } from './action.ts';
import { shown } from './github.ts';
import type { World } from './world.ts';

/**
 * Everything that a run did, for a golden file: exit code, stdout, outputs, comments, summary, and what was asked of
 * proxy and forge. Debug lines are left out: they tell times, and reads under way at once end in any order.
 */
export async function expectGolden(name: string, run: Run, world: World): Promise<void> {
  const sections: [string, string][] = [
    ['exit code', String(run.code)],
    ['stdout', run.stdout.replace(/^::debug::.*\n/gm, '')],
    ['stderr', run.stderr],
    ['outputs', lines(Object.entries(run.outputs).map(([key, value]) => `${key}=${value}`))],
    ['job summary', run.summary],
    ...[...world.github.pulls.keys()].flatMap((number) =>
      world.github.commentsOf(number).map((body): [string, string] => [`comment on #${number}`, body]),
    ),
    ['asked of GitHub', lines(world.github.calls.map(shown))],
    ['asked of the proxy', lines(counted(world.proxy.requests.map(({ method, route }) => `${method} ${route}`)))],
    ['artifacts', lines([...world.artifacts.finished.keys()].map((key) => `${key}: ${world.artifacts.filesOf(key)}`))],
  ];
  const text = sections.map(([title, body]) => `=== ${title}\n${body.trimEnd()}\n`).join('\n');
  await expectText(`bundle/${name}.txt`, steady(text, world));
}

/** Names that differ from run to run, replaced. */
function steady(text: string, world: World): string {
  return text
    .replaceAll(world.proxy.masterKey, '<master key>')
    .replaceAll(world.folder, '<folder>')
    .replace(/litellm-user-sync-\w{6}\b/g, 'litellm-user-sync-<random>')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
    .replace(/sk-[\w-]{16,}/g, '<key>')
    .replace(/sk-\.\.\.[\w-]{4}/g, 'sk-...<last 4>')
    .replace(/target=[0-9a-f]{16}/g, 'target=<hash>')
    .replace(
      /\b(digests|applied)=([\w+/=]*)/g,
      (_, name: string, packed: string) => `${name}=<${Buffer.from(packed, 'base64').length / 8}>`,
    )
    .replace(/open until `[\d-]{10}`/g, 'open until `<day>`')
    .replace(/\b[0-9a-f]{64}\b/g, '<sha256>')
    .replace(/(Uploaded bytes|bytes uploaded) \d+/gi, '$1 <n>');
}

function lines(rows: readonly string[]): string {
  return rows.join('\n');
}

/** Reads run at the same time: sorted, each once with its number. */
function counted(rows: readonly string[]): string[] {
  const times = (row: string): number => rows.filter((other) => other === row).length;
  return [...new Set(rows)].map((row) => (times(row) === 1 ? row : `${row} (${times(row)} times)`)).sort();
}
