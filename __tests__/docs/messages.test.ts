import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMPANY, USER_LIST } from '../../demo/company.ts';
import { helpText } from '../../src/cli/args.ts';
import { runCli } from '../../src/cli/run.ts';
import { secretUploadRefusal } from '../../src/github/event.ts';
import { type Standin, startStandin } from '../../standin/server.ts';
import { Sink } from '../host/sink.ts';

/** Pages quote what the tool says: here it says it. */
const page = (name: string) => readFile(join(import.meta.dirname, '../..', name), 'utf8');

let proxy: Standin;
beforeAll(async () => {
  proxy = await startStandin({ seed: COMPANY });
});
afterAll(() => proxy.close());

async function said(csv: string | Buffer, env: NodeJS.ProcessEnv = {}, ...flags: string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'messages-'));
  if (csv !== '') await writeFile(join(directory, 'user_list.csv'), csv);
  const sink = new Sink();
  const given = { LITELLM_BASE_URL: proxy.baseUrl, LITELLM_MASTER_KEY: proxy.masterKey, ...env };
  const terminal = { stdout: sink, stderr: sink };
  await runCli(['sync', '--dry-run', '--retries=0', ...flags], given, terminal, directory);
  return sink.text;
}

async function behindALoginPage(): Promise<string> {
  const gateway = createServer((_request, response) => response.end('<!doctype html><title>Sign in</title>')).listen(0);
  try {
    const { port } = gateway.address() as AddressInfo;
    return await said(USER_LIST, { LITELLM_BASE_URL: `http://127.0.0.1:${port}` });
  } finally {
    gateway.close();
  }
}

const HEAD = 'email,role,team_name,key_name\n';
const rows = (count: number) => USER_LIST.split('\n').slice(0, count).join('\n');

describe('messages that the README quotes', () => {
  const cases: [string, () => Promise<string>][] = [
    ['ERROR: master-key or env LITELLM_MASTER_KEY is required.', () => said(USER_LIST, { LITELLM_MASTER_KEY: '' })],
    [
      'answered 401: the proxy refuses the key. Check master-key (or LITELLM_MASTER_KEY), and that base-url is the proxy it belongs to.',
      () => said(USER_LIST, { LITELLM_MASTER_KEY: 'sk-of-another-proxy' }),
    ],
    [
      '(ECONNREFUSED): is it running, is base-url right, and may this machine connect to it?',
      () => said(USER_LIST, { LITELLM_BASE_URL: 'http://127.0.0.1:9' }),
    ],
    [
      "answered 200 with HTML: is base-url the address of the proxy's API, and not of a login page or gateway in front of it?",
      behindALoginPage,
    ],
    ["ERROR: CSV file 'user_list.csv' not found.", () => said('')],
    [
      "user_list.csv:2:3: team_name of may@example.com: Unknown team `enginering`. Did you mean `engineering`? Teams are made in LiteLLM, not here; a team's name or id is allowed.",
      () => said(`${HEAD}may@example.com,,enginering,\n`),
    ],
    [
      '7 of 12 managed users would be deleted, but max-deletes allows 20% of 12 managed users = 3. Nothing is applied.',
      () => said(rows(7)),
    ],
    [
      'This repository is public: everybody could download API keys and onboarding links from the artifact.',
      async () => secretUploadRefusal('public', false) ?? '',
    ],
  ];
  test.each(cases)('%s', async (message, say) => {
    expect(await say()).toContain(message);
    expect(await page('README.md')).toContain(message);
  });
});

describe('messages that the page about the CSV quotes', () => {
  const cases: [string, string | Buffer][] = [
    ['The file is separated by `;`, not by commas.', 'email;role\nann@example.com;\n'],
    ['The file is empty.', '\n'],
    ['The file holds no users. That never means "delete everyone": use the command `delete` for that.', HEAD],
    ['No `email` column.', 'post,role\nann@example.com,\n'],
    ['Unknown column `emial`. Did you mean `email`?', 'emial,role\nann@example.com,\n'],
    ['Invalid email format: `bob@example`. Expected name@example.com.', `${HEAD}bob@example,,,\n`],
    ['The row has no email.', `${HEAD},internal_user,,\n`],
    ['Invalid role `internal_usr`. Did you mean `internal_user`?', `${HEAD}ann@example.com,internal_usr,,\n`],
    [
      '`ann@example.com` stands on line 2 already, and again on line 4 (letter case does not count). Remove one of them.',
      `${HEAD}Ann@example.com,,,\nbob@example.com,,,\nann@example.com,,,\n`,
    ],
    [
      'A key named `ada-main` exists on the proxy already, and key names are unique. Choose another key_name.',
      `${HEAD}may@example.com,,,ada-main\n`,
    ],
    [
      'The row has 5 cells, the header 4: a cell with a comma in it needs quotes ("a, b").',
      `${HEAD}may@example.com,,engineering,may,key\n`,
    ],
    [
      'Cell 4 stands under a blank cell of the header, which names no column: name it, or empty the cell.',
      'email,role,team_name,\nmay@example.com,,engineering,key\n',
    ],
    ['`;` holds separators and no team.', `${HEAD}may@example.com,,;,\n`],
    [
      'A line break inside a cell: its quote opens on line 2 and closes on line 5 only, and all between is one cell.',
      `${HEAD}may@example.com,,,"a\nb@example.com,,,\nc@example.com,,,\nd"\n`,
    ],
    ['A mark of a merge conflict: the file holds two versions.', `${HEAD}<<<<<<< HEAD\nmay@example.com,,,\n`],
    [
      'Invalid max_budget `$50`. Allowed: US dollars as digits with at most one point (50, 12.5), `-` for none, or blank.',
      'email,max_budget\nmay@example.com,$50\n',
    ],
    ['The file is not UTF-8 (Latin-1 or Windows-1252 perhaps): save it as "CSV UTF-8".', Buffer.from([0xe4, 0x0a])],
    [
      'Column `userPrincipalName` holds what looks like emails: name it `email`.',
      'userPrincipalName\nmay@example.com\n',
    ],
  ];
  test.each(cases)('%s', async (message, csv) => {
    expect(await said(csv)).toContain(message);
    expect(await page('docs/csv.md')).toContain(message);
  });
});

test('the page about the terminal shows the help text as it is', async () => {
  expect(await page('docs/command-line.md')).toContain(helpText());
});
