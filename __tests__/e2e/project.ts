import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Checks } from './checks.ts';
import type { Artifact, Comment, Forge, MergeStyle, Pull, Run } from './forge.ts';
import type { ProxyAdmin, SeedUser } from './proxy.ts';

/** Of this project. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What a scenario works with. */
export interface Lab {
  readonly checks: Checks;
  readonly forge: Forge;
  readonly proxy: ProxyAdmin;
  /** For what a person may want to look at afterwards. */
  readonly output: string;
  /** Keeps what a comment looks like, light and dark. */
  picture(name: string, comment: string): Promise<void>;
}

export interface ProjectOptions {
  readonly name: string;
  readonly csv: string;
  /** Names of files in `examples/`, with what this project's owner changed in them. */
  readonly workflows: Readonly<Record<string, (text: string) => string>>;
  readonly visibility?: 'private' | 'public';
  /** More files, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** More secrets, by name. */
  readonly secrets?: Readonly<Record<string, string>>;
}

export const asWritten = (text: string): string => text;

/** A finished run, with all that it has left behind. */
export interface Finished {
  readonly run: Run;
  readonly isGreen: boolean;
  readonly log: string;
}

/** A repository that uses the action, as its README says. */
export class Project {
  readonly repository: string;
  /** The first commit of `main`. */
  readonly start: string;
  readonly viewerKey: string;
  readonly #lab: Lab;

  private constructor(lab: Lab, repository: string, start: string, viewerKey: string) {
    this.#lab = lab;
    this.repository = repository;
    this.start = start;
    this.viewerKey = viewerKey;
  }

  /** Creates the repository with its secrets and variables, then pushes the first commit. */
  static async create(lab: Lab, options: ProjectOptions): Promise<Project> {
    return Project.#start(lab, options, (folder) => fill(folder, options));
  }

  /** The same with nothing in it but a line about what it is for. */
  static bare(lab: Lab, name: string): Promise<Project> {
    return Project.#start(lab, { name }, (folder) => writeFileSync(join(folder, 'README.md'), '# Our LLM proxy\n'));
  }

  static async #start(
    lab: Lab,
    { name, visibility = 'private', secrets = {} }: Pick<ProjectOptions, 'name' | 'visibility' | 'secrets'>,
    prepare: (folder: string) => void,
  ): Promise<Project> {
    const { forge, proxy } = lab;
    const repository = await forge.createRepository(`${name}-${Date.now().toString(36)}`, visibility);
    const viewerKey = await proxy.createViewer();
    await forge.variable(repository, 'LITELLM_BASE_URL', proxy.url);
    const all = { LITELLM_VIEWER_KEY: viewerKey, LITELLM_MASTER_KEY: proxy.masterKey, ...secrets };
    for (const [secret, value] of Object.entries(all)) await forge.secret(repository, secret, value);
    const folder = mkdtempSync(join(tmpdir(), 'e2e-project-'));
    try {
      prepare(folder);
      return new Project(lab, repository, await forge.pushFolder(repository, folder), viewerKey);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Waits for the run of an event (of a commit). */
  async finished(event: string, sha = '', known: readonly number[] = []): Promise<Finished> {
    return this.#read(await this.#lab.forge.finished(this.repository, event, sha, known));
  }

  /** Starts a run once more, and waits for it. */
  async repeat({ run }: Finished): Promise<Finished> {
    return this.#read(await this.#lab.forge.repeat(this.repository, run));
  }

  async #read(run: Run): Promise<Finished> {
    const log = await this.#lab.forge.logs(this.repository, run.id);
    writeFileSync(join(this.#lab.output, `${this.repository.replace('/', '-')}-${run.id}-${run.event}.log`), log);
    return { run, isGreen: run.conclusion === 'success', log };
  }

  /** Opens a pull request with a new user list, and waits for its run. */
  async propose(branch: string, csv: string, path = 'user_list.csv'): Promise<{ pull: Pull; planned: Finished }> {
    const sha = await this.#lab.forge.commit(this.repository, branch, path, csv, true);
    const pull = await this.#lab.forge.openPull(this.repository, branch, `Users: ${branch}`);
    return { pull, planned: await this.finished('pull_request', sha) };
  }

  /** Pushes another version to an open pull request, and waits for its run. */
  async amend(branch: string, csv: string): Promise<Finished> {
    return this.finished('pull_request', await this.#lab.forge.commit(this.repository, branch, 'user_list.csv', csv));
  }

  async merge(pull: Pull, style?: MergeStyle): Promise<Finished> {
    return this.finished('push', await this.#lab.forge.merge(this.repository, pull.number, style));
  }

  /** Starts a workflow by hand, and waits for its run. */
  async runByHand(workflow: string, inputs: Readonly<Record<string, string>> = {}): Promise<Finished> {
    const known = (await this.#lab.forge.runs(this.repository, 'event=workflow_dispatch')).map(({ id }) => id);
    await this.#lab.forge.dispatch(this.repository, workflow, inputs);
    return this.finished('workflow_dispatch', '', known);
  }

  comments(pull: Pull): Promise<Comment[]> {
    return this.#lab.forge.comments(this.repository, pull.number);
  }

  artifacts({ run }: Finished): Promise<ReadonlyMap<string, Artifact>> {
    return this.#lab.forge.artifacts(this.repository, run.id);
  }
}

/** The published action, for workflows that check nothing out. */
const PUBLISHED = 'litellm-user-sync';

/** Publishes the committed action on the forge, as `acme/litellm-user-sync` with the tag `v1`. */
export async function publishAction(forge: Forge): Promise<void> {
  await forge.deleteRepository(PUBLISHED);
  const repository = await forge.createRepository(PUBLISHED, 'public');
  const folder = mkdtempSync(join(tmpdir(), 'e2e-action-'));
  try {
    copyAction(folder);
    const target = await forge.pushFolder(repository, folder);
    await forge.call('POST', `/repos/${repository}/tags`, { tag_name: 'v1', target });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function copyAction(folder: string): void {
  cpSync(join(ROOT, 'action.yml'), join(folder, 'action.yml'));
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
}

function fill(folder: string, { csv, workflows, files }: ProjectOptions): void {
  copyAction(folder);
  const texts: Record<string, string> = { 'user_list.csv': csv, ...files };
  for (const [name, change] of Object.entries(workflows)) {
    const example = readFileSync(join(ROOT, 'examples', name), 'utf8');
    texts[`.github/workflows/${name}`] = change(localised(example));
  }
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** The project holds the action itself, for where it is checked out. */
function localised(example: string): string {
  return published(
    example.includes('actions/checkout@') ? example.replaceAll('OWNER/litellm-user-sync@v1', './') : example,
  );
}

/** As its reader writes it here, with the published action; the forge has `actions/checkout` by its tags alone. */
export function published(example: string): string {
  return example
    .replaceAll('OWNER/litellm-user-sync@v1', `acme/${PUBLISHED}@v1`)
    .replaceAll(/actions\/checkout@[0-9a-f]{40} # (v\d+)\S*/g, 'actions/checkout@$1');
}

/** Rows as the lines of a user list. */
export function userList(rows: readonly (readonly string[])[]): string {
  return [['email', 'role', 'team_name', 'key_name'], ...rows].map((row) => `${row.join(',')}\n`).join('');
}

/** The row that changes nothing about a user. */
export function rowOf({ email, role, teams }: SeedUser): [string, string, string, string] {
  return [email, role, teams.length === 0 ? '-' : teams.join(';'), ''];
}

/** The text of a file of an artifact; a blank where there is none. */
export function fileOf(artifacts: ReadonlyMap<string, Artifact>, artifact: string, file: string): string {
  return artifacts.get(artifact)?.get(file)?.toString() ?? '';
}
