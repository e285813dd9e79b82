// Rates of `add` and `onboard` on a real proxy. Makes users and teams there and leaves them.
//
//   LITELLM_BASE_URL=… LITELLM_MASTER_KEY=… node bench/rows.ts [rows]
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from '../__tests__/contract/api.ts';
import { runCli } from '../src/cli/run.ts';

const ROWS = Number(process.argv[2] ?? 400);
/** Users a second that the sequential scripts reach on a machine with two cores, and what is asked of us. */
const SCRIPTS = { add: 1.6, onboard: 6.3 } as const;
const ASKED = { add: 25, onboard: 10 } as const;

const { LITELLM_BASE_URL: baseUrl, LITELLM_MASTER_KEY: masterKey } = process.env;
if (!baseUrl || !masterKey) throw new Error('LITELLM_BASE_URL and LITELLM_MASTER_KEY are required.');
const run = Date.now().toString(36);
const directory = mkdtempSync(join(tmpdir(), 'bench-rows-'));
const teams = ['a', 'b', 'c', 'd'].map((name) => `bench-${run}-${name}`);
const api = new Api(baseUrl, masterKey);
for (const team_id of teams) await api.ok('/team/new', { team_id, team_alias: team_id });

async function measure(command: 'add' | 'onboard', label: string, file: string, wanted: RegExp): Promise<void> {
  const start = performance.now();
  const silent = { stdout: process.stderr, stderr: process.stderr };
  const code = await runCli([command, '--csv-file', 'bench.csv'], process.env, silent, directory);
  const seconds = (performance.now() - start) / 1000;
  const done = readFileSync(join(directory, file), 'utf8').match(wanted)?.length ?? 0;
  const rate = done / seconds;
  const times = rate / SCRIPTS[command];
  console.log(
    `${command}${label}: ${done} of ${ROWS} in ${seconds.toFixed(1)} s, ${rate.toFixed(0)} a second, ${times.toFixed(0)} times the script's (asked: ${ASKED[command]}), exit ${code}`,
  );
}

function rows(header: string, row: (index: number, team: string) => string): void {
  const lines = Array.from({ length: ROWS }, (_, index) => row(index, teams[index % teams.length] ?? ''));
  writeFileSync(join(directory, 'bench.csv'), `${header}\n${lines.join('\n')}\n`);
}

rows(
  'email,role,team_name,key_name',
  (index, team) => `add-${run}-${index}@example.com,internal_user,${team},add-${run}-${index}`,
);
await measure('add', '', 'user_reg_result.csv', /,sk-[\w-]{16,},\S+invitation_id=/g);
rows('user_email,team_id', (index, team) => `onboard-${run}-${index}@example.com,${team}`);
await measure('onboard', '', 'onboarding_results.json', /"status": "success"/g);
await measure('onboard', ' (existing users)', 'onboarding_results.json', /"status": "success"/g);
