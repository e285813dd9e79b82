import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { redactedWithoutHost } from '../../src/action/labels.ts';
import { actionsLog, annotateProblems, mappedLog, moreProblems, withoutCommands } from '../../src/action/log.ts';
import { appendSummary, NO_OUTPUTS, setOutputs } from '../../src/action/outputs.ts';
import type { Log } from '../../src/core/log.ts';
import { createJob } from './job.ts';

let printed = '';

beforeEach(() => {
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

/** Reads a job's stdout as actions/runner does (`ActionCommand.TryParseV2`, `TryParse`), blind to invisible characters. */
function commandsIn(output: string): string[] {
  return output.split(/\r\n|\r|\n/).flatMap((line) => {
    const visible = line.replace(/[\p{Cf}\p{Cc}\p{Mn}\u0085\s]/gu, (character) => (character === ' ' ? ' ' : ''));
    const second = /^ *::([a-z-]+)[^:]*::/.exec(visible)?.[1];
    const first = /##\[([a-z-]+)/.exec(visible)?.[1];
    return [second, first].filter((command) => command !== undefined);
  });
}

const INJECTIONS = [
  '::set-output name=x::y',
  '::add-mask::a',
  '  \t::stop-commands::pause',
  'harmless\n::error::forged',
  'harmless\r::error::forged',
  'harmless\r\n \u00a0::error file=a::forged',
  '\u200b::add-mask::a',
  '\u00ad:\u200b:add-mask::a',
  '\ufeff::add-mask::a',
  '\u0085::add-mask::a',
  '##[add-mask]a',
  'text before ##[set-output name=x]y',
  '#\u200b#\u00ad[add-mask]a',
  '##[##[add-mask]a',
];

describe('actionsLog', () => {
  it.each(INJECTIONS)('prints %j, and no command is in it', (text) => {
    expect(commandsIn(text)).not.toEqual([]);
    actionsLog.info(text);
    expect(commandsIn(printed)).toEqual([]);
    expect(printed.replace(/[ \n]/g, '')).toBe(`${text}\n`.replace(/[ \n]/g, ''));
  });

  it.each(INJECTIONS)('keeps %j inside one warning, error or debug line', (text) => {
    actionsLog.warning(text);
    actionsLog.error(text);
    actionsLog.debug(text);
    expect(printed.split(/\r\n|\r|\n/).filter((line) => line !== '')).toHaveLength(3);
    expect(printed).toMatch(/^::warning::.*\n::error::.*\n::debug::/);
  });

  it('leaves every other text as it is', () => {
    const text = 'Synchronization Plan:\n  + ann@example.com\n~ a::b -> #[1] # ## [x]\r\nRole: a → b';
    expect(withoutCommands(text)).toBe(text);
  });
});

describe('mappedLog', () => {
  it('maps every kind of message', () => {
    const lines: string[] = [];
    const to = (kind: string) => (message: string) => lines.push(`${kind} ${message}`);
    const log: Log = { debug: to('debug'), info: to('info'), warning: to('warning'), error: to('error') };
    const masked = mappedLog(log, (text) => text.replace('ann', 'a***'));
    masked.debug('ann');
    masked.info('ann');
    masked.warning('ann');
    masked.error('ann');
    expect(lines).toEqual(['debug a***', 'info a***', 'warning a***', 'error a***']);
  });
});

describe('annotateProblems', () => {
  const problem = (line: number | null, column: number | null, message: string) => ({ line, column, message });

  it('points at file, line and column, as far as they are known', () => {
    annotateProblems(
      [problem(3, 2, 'unknown role'), problem(4, null, 'twice'), problem(null, null, 'no header')],
      'user_list.csv',
    );
    expect(printed.split('\n')).toEqual([
      '::error title=User list,file=user_list.csv,line=3,col=2::unknown role',
      '::error title=User list,file=user_list.csv,line=4::twice',
      '::error title=User list,file=user_list.csv::no header',
      '',
    ]);
  });

  it("leaves the tenth place to the step's own error, which names the rest", () => {
    const problems = Array.from({ length: 12 }, (_, index) => problem(index + 2, 1, `problem ${index}`));
    annotateProblems(problems, 'user_list.csv');
    expect(printed.match(/^::error /gm)).toHaveLength(9);
    expect(moreProblems(problems.length)).toBe(' 3 more problems are listed in the log.');
    expect(moreProblems(10)).toBe(' 1 more problem is listed in the log.');
    expect(moreProblems(9)).toBe('');
  });

  it('takes values and file names for data', () => {
    annotateProblems([problem(2, 1, "unknown role 'x'\n::add-mask::a")], 'a,line=9::b\n.csv');
    expect(printed).toBe(
      "::error title=User list,file=a%2Cline=9%3A%3Ab%0A.csv,line=2,col=1::unknown role 'x'%0A::add-mask::a\n",
    );
  });
});

describe('setOutputs', () => {
  it('sets all of them, each as it is', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'outputs-')), 'output');
    writeFileSync(file, '');
    vi.stubEnv('GITHUB_OUTPUT', file);
    setOutputs({ ...NO_OUTPUTS, 'has-changes': true, added: 3, 'plan-file': 'a\nadded<<x\n9' });
    vi.unstubAllEnvs();
    const values = [...readFileSync(file, 'utf8').matchAll(/^(.+)<<(ghadelimiter_\S+)\n([\s\S]*?)\n\2$/gm)];
    expect(Object.fromEntries(values.map(([, name, , value]) => [name, value]))).toEqual({
      'has-changes': 'true',
      added: '3',
      deleted: '0',
      updated: '0',
      deactivated: '0',
      reactivated: '0',
      unchanged: '0',
      failed: '0',
      skipped: '0',
      'plan-file': 'a\nadded<<x\n9',
      'result-file': '',
      'comment-url': '',
      'artifact-url': '',
      'onboarding-artifact-url': '',
    });
  });
});

describe('appendSummary', () => {
  const warnings: string[] = [];
  const log: Log = { debug() {}, info() {}, warning: (message) => warnings.push(message), error() {} };
  const summaryFile = (before = '') => {
    const path = join(mkdtempSync(join(tmpdir(), 'summary-')), 'summary.md');
    writeFileSync(path, before);
    return path;
  };

  beforeEach(() => warnings.splice(0));

  it('adds to what the step has written', async () => {
    const path = summaryFile('before\n');
    expect(await appendSummary({ GITHUB_STEP_SUMMARY: path }, () => '## Plan', log)).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('before\n## Plan\n');
  });

  it('stays below 1 MiB in bytes, with what is there and with letters of several bytes', async () => {
    const path = summaryFile('x'.repeat(300_000));
    expect(await appendSummary({ GITHUB_STEP_SUMMARY: path }, (limit) => 'ü'.repeat(limit), log)).toBe(true);
    const size = readFileSync(path).byteLength;
    expect(size).toBeLessThanOrEqual(1024 * 1024);
    expect(size).toBeGreaterThan(900_000);
  });

  it.each([
    ['the variable is missing', () => undefined, /GITHUB_STEP_SUMMARY is not set/],
    ['the file is no file', () => tmpdir(), /EISDIR/],
    ['the step has used it up', () => summaryFile('x'.repeat(1024 * 1024)), /used up/],
  ])('only warns: %s', async (_name, path, expected) => {
    expect(await appendSummary({ GITHUB_STEP_SUMMARY: path() }, () => '## Plan', log)).toBe(false);
    expect(warnings).toEqual([expect.stringMatching(expected)]);
  });
});

describe('a failure where no address of a proxy was given', () => {
  it('is told all the same', () => {
    const job = createJob({ redacts: true });
    const inputs = { ...job.inputs, baseUrl: '' };
    expect(redactedWithoutHost({ ...job, inputs }, 'no key for ann@example.com')).toMatch(/^no key for [^@]*\*/);
  });
});
