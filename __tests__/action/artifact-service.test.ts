import { describe, expect, it } from 'vitest';
import { type ArtifactService, artifactServiceMissing, uploadArtifact } from '../../src/action/artifact-service.ts';

const SERVICE = { ACTIONS_RUNTIME_TOKEN: 'token', ACTIONS_RESULTS_URL: 'https://results.example' };
const JOB = { GITHUB_SERVER_URL: 'https://github.example', GITHUB_REPOSITORY: 'acme/users', GITHUB_RUN_ID: '4711' };
const UPLOAD = { name: 'onboarding-links', files: ['/out/links.csv'], rootDirectory: '/out', retentionDays: 7 };

/** A service that answers one after the other what it is given. */
function createService(...answers: (number | Error)[]): ArtifactService & { readonly names: string[] } {
  const names: string[] = [];
  return {
    names,
    async uploadArtifact(name) {
      names.push(name);
      const answer = answers.shift();
      if (typeof answer === 'number') return { id: answer };
      throw answer ?? new Error('asked too often');
    },
  };
}

const upload = (service: ArtifactService) => uploadArtifact(UPLOAD, JOB, service, async () => {});

describe('artifactServiceMissing', () => {
  it.each([
    ['https://github.com'],
    ['https://GitHub.com'],
    ['https://acme.ghe.com'],
    ['http://forge.localhost:3000'],
    [undefined],
  ])('is there: %s', (server) => {
    expect(artifactServiceMissing({ ...SERVICE, GITHUB_SERVER_URL: server })).toBeNull();
  });

  it.each([
    ['https://github.acme.example'],
    ['https://notgithub.com'],
    ['https://ghe.com'],
    ['http://localhost:3000'],
    ['https://github.com.evil.example'],
    ['no address at all'],
  ])('is not there: %s', (server) => {
    const message = artifactServiceMissing({ ...SERVICE, GITHUB_SERVER_URL: server });
    expect(message).toMatch(/GitHub Enterprise Server.*'artifacts: false'.*step of your own/);
  });

  it.each([
    [{ ACTIONS_RESULTS_URL: 'x' }, 'ACTIONS_RUNTIME_TOKEN'],
    [{ ACTIONS_RUNTIME_TOKEN: 'x', ACTIONS_RESULTS_URL: '' }, 'ACTIONS_RESULTS_URL'],
    [{}, 'ACTIONS_RUNTIME_TOKEN, ACTIONS_RESULTS_URL'],
  ])('is not there: %j', (variables, missing) => {
    const message = artifactServiceMissing({ GITHUB_SERVER_URL: 'https://github.com', ...variables });
    expect(message).toContain(`(${missing} not set)`);
    expect(message).toContain("'artifacts: false'");
  });
});

describe('uploadArtifact', () => {
  it('says where the artifact is', async () => {
    expect(await upload(createService(99))).toEqual({
      id: 99,
      name: 'onboarding-links',
      url: 'https://github.example/acme/users/actions/runs/4711/artifacts/99',
    });
  });

  it('names it as Gitea does, by its name', async () => {
    const env = { ...JOB, GITHUB_API_URL: 'https://github.example/api/v1' };
    expect(await uploadArtifact(UPLOAD, env, createService(99))).toMatchObject({
      url: 'https://github.example/acme/users/actions/runs/4711/artifacts/onboarding-links',
    });
  });

  it('tries again, a bounded number of times', async () => {
    const service = createService(new Error('ECONNRESET'), new Error('(500) Internal'), 99);
    expect(await upload(service)).toMatchObject({ id: 99 });
    const broken = createService(...Array.from({ length: 9 }, () => new Error('(500) Internal')));
    await expect(upload(broken)).rejects.toThrow(/Failed to upload the artifact 'onboarding-links': \(500\) Internal/);
    expect(broken.names).toHaveLength(4);
  });

  it('tells the first line of the reason, as a sentence', async () => {
    const words =
      'Unable to make request: ECONNREFUSED\nIf you are using self-hosted runners, see https://docs.example.com';
    const broken = createService(...Array.from({ length: 9 }, () => new Error(words)));
    await expect(upload(broken)).rejects.toThrow(/'onboarding-links': Unable to make request: ECONNREFUSED\.$/);
  });

  it('takes another name where the first is taken', async () => {
    const taken = 'Failed request: (409) Conflict: an artifact with this name already exists on the workflow run';
    const service = createService(new Error(taken), 99);
    expect(await upload(service)).toMatchObject({ id: 99, name: 'onboarding-links-2' });
    expect(service.names).toEqual(['onboarding-links', 'onboarding-links-2']);
  });

  it('finds a free name however many jobs of a matrix there are', async () => {
    const taken = () => new Error('Failed request: (409) Conflict: an artifact with this name already exists');
    const service = createService(...Array.from({ length: 9 }, taken), 99);
    const { name } = await upload(service);
    expect(service.names.slice(0, 4)).toEqual(['', '-2', '-3', '-4'].map((end) => `onboarding-links${end}`));
    expect(service.names.slice(4).every((other) => /^onboarding-links-[0-9a-f]{8}$/.test(other))).toBe(true);
    expect(new Set(service.names).size).toBe(10);
    expect(name).toBe(service.names.at(-1));
    const never = createService(...Array.from({ length: 99 }, taken));
    await expect(upload(never)).rejects.toThrow(/already exists/);
    expect(never.names).toHaveLength(20);
  });

  it('counts failures and taken names apart', async () => {
    const taken = () => new Error('(409) Conflict');
    const broken = () => new Error('ECONNRESET');
    const service = createService(broken(), taken(), broken(), taken(), broken(), 99);
    expect(await upload(service)).toMatchObject({ name: 'onboarding-links-3' });
  });

  it('does not try again what cannot get better', async () => {
    const missing = Object.assign(new Error('No files were found to upload'), { name: 'FilesNotFoundError' });
    const service = createService(missing, 99);
    await expect(upload(service)).rejects.toThrow(/No files were found/);
    expect(service.names).toHaveLength(1);
    const down = createService(
      new Error('Failed to CreateArtifact: Failed to make request after 5 attempts: (500)'),
      99,
    );
    await expect(upload(down)).rejects.toThrow(/after 5 attempts/);
    expect(down.names).toHaveLength(1);
  });

  it("keeps a storage address' signature out of its error", async () => {
    const errors = Array.from(
      { length: 4 },
      () => new Error('PUT https://blob.example/c/a.zip?sig=s3cret&se=1 failed'),
    );
    const error: unknown = await upload(createService(...errors)).catch((caught: unknown) => caught);
    expect(String(error)).toContain('https://blob.example/c/a.zip?… failed');
    expect(String((error as Error).cause ?? '') + (error as Error).stack).not.toContain('s3cret');
  });
});
