import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { OLDEST_NODE, VERSION } from '../src/version.ts';

const root = join(import.meta.dirname, '..');
const page = (name: string): string => readFileSync(join(root, name), 'utf8');
const { version, engines, dependencies, scripts } = JSON.parse(page('package.json'));

describe('the oldest Node', () => {
  it('is the same in engines, code, pages and CI', () => {
    expect(engines.node).toBe(`>=${OLDEST_NODE}`);
    for (const name of ['README.md', 'CONTRIBUTING.md']) {
      expect(page(name)).toContain(`Node ${OLDEST_NODE} or newer`);
      expect(page(name)).not.toMatch(/Node (18|20) or newer|Node from (18|20) on/);
    }
    const { jobs } = parse(page('.github/workflows/ci.yml'));
    expect(jobs.node.strategy.matrix.node).toEqual([OLDEST_NODE, 24]);
  });

  it('is told in one sentence where scripts run on an older one', () => {
    for (const name of ['demo', 'test', 'docs', 'bench'])
      expect(scripts[name]).toMatch(/^node scripts\/needs-node\.mjs && /);
    expect(told('20.20.2')).toMatch(
      /^This needs Node 22\.18 or newer, and this is Node 20\.20\.2: run `npm ci` .*\.\n$/,
    );
    expect(told('22.17.1')).toContain('this is Node 22.17.1');
    expect([told('22.18.0'), told('24.0.0')]).toEqual(['', '']);
  });
});

it("the package needs nothing at run time, and its version is the code's", () => {
  expect(dependencies).toBeUndefined();
  expect(version).toBe(VERSION);
});

/** What scripts/needs-node.mjs says on a Node of this version. */
function told(node: string): string {
  const pretend = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '${node}' })`;
  const script = join(root, 'scripts/needs-node.mjs');
  const { stderr, status } = spawnSync(process.execPath, ['--import', pretend, script], { encoding: 'utf8' });
  expect(status).toBe(stderr === '' ? 0 : 1);
  return stderr;
}
