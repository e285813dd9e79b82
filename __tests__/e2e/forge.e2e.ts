// forge.e2e.ts [SCENARIO...]: the committed action on a real forge with a real runner, against a real LiteLLM proxy.
// FORGE_URL and FORGE_TOKEN name the forge, LITELLM_BASE_URL and LITELLM_MASTER_KEY the proxy. The proxy is emptied.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startStandin } from '../../standin/server.ts';
import { photograph } from './browser.ts';
import { Checks } from './checks.ts';
import { Forge } from './forge.ts';
import { type Lab, publishAction } from './project.ts';
import { ProxyAdmin } from './proxy.ts';
import { SCENARIOS, type Scenario, WAITING } from './scenarios/index.ts';

function setting(name: string): string {
  const value = process.env[name];
  if (value) return value;
  console.error(`The environment variable ${name} is missing.`);
  process.exit(2);
}

function chosen(): ReadonlySet<string> {
  const names = [...Object.keys(SCENARIOS), ...Object.keys(WAITING)];
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length === 0) return new Set(wanted.length === 0 ? names : wanted);
  console.error(`Unknown: ${unknown.join(', ')}. There are: ${names.join(', ')}.`);
  process.exit(2);
}

async function play(name: string, scenario: Scenario, lab: Lab): Promise<void> {
  const { checks } = lab;
  checks.begin(name);
  const start = Date.now();
  try {
    await lab.proxy.empty();
    await scenario(lab);
  } catch (error) {
    checks.that('goes through to its end', false, error instanceof Error ? (error.stack ?? error.message) : error);
  }
  console.log(`     ${name}: ${((Date.now() - start) / 1000).toFixed(0)} s`);
}

async function playBeside(name: string, scenario: Scenario, lab: Lab): Promise<Checks> {
  const { baseUrl, masterKey, close } = await startStandin();
  const checks = new Checks();
  await play(name, scenario, { ...lab, checks, proxy: new ProxyAdmin(baseUrl, masterKey) });
  await close();
  return checks;
}

const output = resolve(process.env.E2E_OUTPUT ?? mkdtempSync(join(tmpdir(), 'e2e-output-')));
mkdirSync(output, { recursive: true });
const lab: Lab = {
  checks: new Checks(),
  forge: new Forge(setting('FORGE_URL'), setting('FORGE_TOKEN')),
  proxy: new ProxyAdmin(setting('LITELLM_BASE_URL'), setting('LITELLM_MASTER_KEY')),
  output,
  picture: (name, comment) => photograph(comment, join(output, name)),
};
const names = chosen();
await publishAction(lab.forge);
const waiting = Object.entries(WAITING).filter(([name]) => names.has(name));
const beside = Promise.all(waiting.map(([name, scenario]) => playBeside(name, scenario, lab)));
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (names.has(name)) await play(name, scenario, lab);
}
const all = [lab.checks, ...(await beside)];
const sum = (of: (checks: Checks) => number) => all.reduce((total, checks) => total + of(checks), 0);
console.log(`\nLogs and screenshots: ${output}`);
console.log(`${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed`);
process.exitCode = sum(({ failed }) => failed) > 0 ? 1 : 0;
