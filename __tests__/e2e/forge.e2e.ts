// forge.e2e.ts [SCENARIO...]: the committed action on a real forge with a real runner, against a real LiteLLM proxy.
// FORGE_URL and FORGE_TOKEN name the forge, LITELLM_BASE_URL and LITELLM_MASTER_KEY the proxy. The proxy is emptied.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Checks } from './checks.ts';
import { Forge } from './forge.ts';
import type { Lab } from './project.ts';
import { ProxyAdmin } from './proxy.ts';
import { SCENARIOS } from './scenarios/index.ts';

function setting(name: string): string {
  const value = process.env[name];
  if (value) return value;
  console.error(`The environment variable ${name} is missing.`);
  process.exit(2);
}

function openLab(): Lab {
  const output = resolve(process.env.E2E_OUTPUT ?? mkdtempSync(join(tmpdir(), 'e2e-output-')));
  mkdirSync(output, { recursive: true });
  return {
    checks: new Checks(),
    forge: new Forge(setting('FORGE_URL'), setting('FORGE_TOKEN')),
    proxy: new ProxyAdmin(setting('LITELLM_BASE_URL'), setting('LITELLM_MASTER_KEY')),
    output,
  };
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. There are: ${Object.keys(SCENARIOS).join(', ')}.`);
  process.exit(2);
}

const lab = openLab();
const { checks } = lab;
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  checks.begin(name);
  const start = Date.now();
  try {
    await lab.proxy.empty();
    await scenario(lab);
  } catch (error) {
    checks.that('goes through to its end', false, error instanceof Error ? (error.stack ?? error.message) : error);
  }
  console.log(`     ${((Date.now() - start) / 1000).toFixed(0)} s`);
}
console.log(`\nLogs and screenshots: ${lab.output}`);
console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exitCode = checks.failed > 0 ? 1 : 0;
