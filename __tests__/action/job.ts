import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from '../../src/action/job.ts';
import { parseInputs, type RawInputs } from '../../src/inputs.ts';
import { createClient, createEvent } from '../github/support.ts';

export const TARGET = 'aaaaaaaaaaaaaaaa';

export interface TestJob extends Job {
  /** What was logged, `level: message`. */
  readonly told: string[];
}

/** A job of a push whose file lies in a folder of its own; nothing of this machine's environment counts. */
export function createJob(overrides: Partial<Job> = {}, inputs: RawInputs = {}, csv = 'email\n'): TestJob {
  const folder = mkdtempSync(join(tmpdir(), 'job-'));
  writeFileSync(join(folder, 'user_list.csv'), csv);
  const told: string[] = [];
  const tell = (level: string) => (message: string) => void told.push(`${level}: ${message}`);
  return {
    inputs: parseInputs({ 'base-url': 'http://proxy.internal:4000', 'master-key': 'sk-1234', ...inputs }, {}, folder),
    env: {},
    event: createEvent(),
    mode: { kind: 'apply' },
    log: { debug: tell('debug'), info: tell('info'), warning: tell('warning'), error: tell('error') },
    redacts: false,
    outputDirectory: folder,
    client: createClient().client,
    targetHash: TARGET,
    repositoryPath: 'user_list.csv',
    told,
    ...overrides,
  };
}
