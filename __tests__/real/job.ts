import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Finished, privateFolder, type Run, startAction, startProcess } from '../bundle/support/action.ts';
import { entry } from '../bundle/support/bundle.ts';
import type { Address } from '../commands/workplace.ts';

/** What the tests read of `plan.json`. */
export interface PlanJson {
  readonly summary: Readonly<Record<string, number>>;
  readonly changes: readonly ChangeJson[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

interface TeamJson {
  readonly team_id: string;
}

export interface ChangeJson {
  readonly action: 'add' | 'delete' | 'deactivate' | 'update';
  readonly email: string;
  readonly user_id: string;
  readonly previous_email: string | null;
  readonly role: { readonly from: string | null; readonly to: string } | string | null;
  readonly teams: readonly TeamJson[] | { readonly from: TeamJson[]; readonly to: TeamJson[] } | null;
  readonly limits: Readonly<Record<string, unknown>>;
  readonly reactivates: boolean;
  readonly spend: number;
  readonly cost: {
    readonly keys: number;
    readonly spend: number;
    readonly team_keys: readonly { alias: string; team_id: string; fate: string; to: TeamJson | null }[];
    readonly losses: readonly { team: TeamJson; what: string }[];
  };
}

/** Runs the committed bundles as child processes against one proxy, in a folder that goes with the test. */
export class Job {
  readonly directory = privateFolder(mkdtempSync(join(tmpdir(), 'real-')));
  readonly #proxy: Address;
  #runs = 0;

  constructor(proxy: Address) {
    this.#proxy = proxy;
    onTestFinished(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  write(csv: string): void {
    writeFileSync(join(this.directory, 'user_list.csv'), csv);
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), 'utf8');
  }

  /** The plan as the action writes it for machines; throws with the log where there is none. */
  async plan(inputs: Readonly<Record<string, string>> = {}): Promise<PlanJson> {
    const run = await this.action({ ...inputs, 'dry-run': 'true' });
    const file = run.outputs['plan-file'];
    if (run.code !== 0 || !file) throw new Error(`No plan (exit ${run.code}):\n${run.stdout}${run.stderr}`);
    return JSON.parse(readFileSync(file, 'utf8')) as PlanJson;
  }

  async apply(inputs: Readonly<Record<string, string>> = {}): Promise<Run> {
    const run = await this.action({ ...inputs, 'dry-run': 'false' });
    if (run.code !== 0) throw new Error(`Not applied (exit ${run.code}):\n${run.stdout}${run.stderr}`);
    return run;
  }

  /** The action's bundle, as on a manual run without a token: nothing is asked of GitHub. */
  action(inputs: Readonly<Record<string, string>>): Promise<Run> {
    const folder = privateFolder(join(this.directory, `run-${++this.#runs}`));
    const event = join(folder, 'event.json');
    writeFileSync(event, JSON.stringify({ ref: 'refs/heads/main', repository: { default_branch: 'main' } }));
    const given = {
      'base-url': this.#proxy.baseUrl,
      'master-key': this.#proxy.masterKey,
      'output-directory': folder,
      artifacts: 'false',
      'redact-emails': 'false',
      ...inputs,
    };
    const env = {
      GITHUB_ACTIONS: 'true',
      GITHUB_EVENT_NAME: 'workflow_dispatch',
      GITHUB_EVENT_PATH: event,
      GITHUB_REF: 'refs/heads/main',
      GITHUB_REPOSITORY: 'acme/users',
      GITHUB_RUN_ID: '4711',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_SHA: 'a'.repeat(40),
      GITHUB_WORKSPACE: this.directory,
      RUNNER_TEMP: folder,
      ...Object.fromEntries(Object.entries(given).map(([key, value]) => [`INPUT_${key.toUpperCase()}`, value])),
    };
    return startAction(env, this.directory, folder).done;
  }

  /** The command line tool's bundle. */
  cli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
    const proxy = { LITELLM_BASE_URL: this.#proxy.baseUrl, LITELLM_MASTER_KEY: this.#proxy.masterKey };
    return startProcess([entry('cli/index.js'), ...args], { ...proxy, ...env }, this.directory).done;
  }
}
