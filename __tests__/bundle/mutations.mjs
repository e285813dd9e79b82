// Shows that the canary tests see: each mutation takes one protection out of a copy of the source, and
// a test of secrets, encryption or privacy must fail on that copy.
//
//   node __tests__/bundle/mutations.mjs [words of a name]
//
// Run by hand: it takes minutes. Needs a node that runs TypeScript (the one among the dependencies does).
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Name, file in `src`, what is replaced, by what. */
const MUTATIONS = [
  ['the master key is not masked', 'action/job.ts', '[inputs.masterKey, inputs.githubToken]', '[inputs.githubToken]'],
  ['the github-token is not masked', 'action/job.ts', '[inputs.masterKey, inputs.githubToken]', '[inputs.masterKey]'],
  ['nothing received is masked', 'action/action-host.ts', 'void => setSecret(value)', 'void => void value'],
  [
    'keys made in bulk are not masked',
    'litellm/user-writes.ts',
    'for (const row of data) if (isKey(row.key)) onSecret(row.key);',
    '',
  ],
  ['keys of /user/new are not masked', 'litellm/user-writes.ts', 'if (isKey(answer.key)) onSecret(answer.key);', ''],
  ['keys of /key/generate are not masked', 'litellm/keys.ts', 'onSecret(answer.key);', ''],
  ['invitation ids are not masked', 'litellm/invitations.ts', 'this.#onSecret(id);', ''],
  [
    'keys are masked after something was said',
    'action/action-host.ts',
    'void => setSecret(value)',
    'void => { this.log.debug(value); setSecret(value); }',
  ],
  ['bodies of answers are logged', 'litellm/http.ts', 'characters`);', 'characters` + answer.text);'],
  [
    'bodies of requests are logged',
    'litellm/http.ts',
    'const begin = this.#effects.now();',
    'const begin = this.#effects.now(); this.#options.log.debug(JSON.stringify(this.#outgoing(call, url)));',
  ],
  ["keys in the proxy's messages stay", 'litellm/message.ts', ".replace(/\\bsk-[\\w.*-]+/g, 'sk-***')", ''],
  [
    "the master key in the proxy's messages stays",
    'litellm/refusals.ts',
    "?.replaceAll(masterKey.reveal(), '***')",
    '',
  ],
  [
    'a result row holds the key',
    'apply/newcomer.ts',
    "newcomer.key?.abbreviated() ?? ''",
    "newcomer.key?.reveal() ?? ''",
  ],
  [
    'a result row tells the invitation',
    'apply/newcomer.ts',
    'problems.length === 0 ? candidate.note :',
    "problems.length === 0 ? (newcomer.invitation?.id.reveal() ?? '') :",
  ],
  ['an abbreviated key is not short', 'core/secret.ts', 'this.#value.slice(-4)', 'this.#value.slice(3)'],
  [
    'the secret file is among the results',
    'action/action-host.ts',
    '[resultFile, besides(this.#job, PLAN_FILE)]',
    '[resultFile, result.secretFile, besides(this.#job, PLAN_FILE)]',
  ],
  [
    'the secret file is in the job summary',
    'action/action-host.ts',
    'await appendSummary(this.#job.env, body(ARTIFACT), this.log);',
    "await appendSummary(this.#job.env, () => readFileSync(result.secretFile, 'utf8'), this.log);",
    "import { readFileSync } from 'node:fs';\n",
  ],
  ['the onboarding file is for everybody', 'apply/secret-files.ts', "'wx', 0o600", "'wx', 0o644"],
  [
    'a foreign file is overwritten',
    'apply/secret-files.ts',
    'await rename(path, await freeName(path));',
    'await rm(path);',
  ],
  [
    'redirected writes are followed',
    'litellm/http.ts',
    "if (call.method === 'POST') {",
    'if (call.method === "NONE") {',
  ],
  ['encryption is forgotten', 'action/action-host.ts', 'encryptTo.length === 0 ?', 'encryptTo.length < 99 ?'],
  [
    'visibility does not count',
    'github/visibility.ts',
    "if (encrypted || visibility === 'private') return null;",
    'if (visibility) return null;',
  ],
  ['keys nobody has seen stay', 'commands/withdraw.ts', 'await proxy.deleteKeys(unseen.map((key) => key.hash));', ''],
  ['emails in the log stay', 'action/job.ts', 'redacts ? mappedLog(actionsLog, redactText) : actionsLog', 'actionsLog'],
  [
    'emails in plan and comment stay',
    'action/action-host.ts',
    'return this.redacts ? redactPlan(plan) : plan;',
    'return plan;',
  ],
  ['emails in errors stay', 'action/run.ts', 'job?.redacts ? redactText(message) : message', 'message'],
  ['what moves the cursor stays', 'render/plain.ts', 'value.replace(SPECIAL, visible)', 'value'],
];

/** A copy of the source that runs as the bundle does. */
function copyOf([, file, from, to, head = '']) {
  const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
  cpSync(join(ROOT, 'src'), join(folder, 'src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'cli'));
  writeFileSync(join(folder, 'index.js'), "import './src/main.ts';\n");
  writeFileSync(join(folder, 'cli', 'index.js'), "import '../src/cli.ts';\n");
  const path = join(folder, 'src', file);
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not hold \`${from}\` any more: correct the mutation.`);
  writeFileSync(path, head + text.replace(from, () => to));
  return folder;
}

function failuresOn(folder) {
  const tests = [
    '__tests__/bundle/secrets.test.ts',
    '__tests__/bundle/encrypt.test.ts',
    '__tests__/bundle/privacy.test.ts',
  ];
  const args = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=json', '--bail=1', ...tests];
  const env = { ...process.env, BUNDLE_DIR: folder };
  const { stdout } = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 2 ** 28 });
  const report = JSON.parse(stdout.slice(stdout.indexOf('{')));
  return report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ title }) => title),
  );
}

const words = process.argv.slice(2).join(' ');
let survived = 0;
for (const mutation of [['none', 'main.ts', 'await', 'await'], ...MUTATIONS]) {
  const [name] = mutation;
  if (!name.includes(words)) continue;
  const folder = copyOf(mutation);
  const failures = failuresOn(folder);
  rmSync(folder, { recursive: true });
  const good = name === 'none' ? failures.length === 0 : failures.length > 0;
  if (!good) survived += 1;
  console.log(`${good ? 'ok' : 'NOT SEEN'}  ${name}: ${failures.length === 0 ? 'no test fails' : failures.join('; ')}`);
}
process.exitCode = survived === 0 ? 0 : 1;
