import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lab, Project, rowOf, userList } from '../project.ts';
import { crowd } from './people.ts';

/** In the place of an upload that this forge does not have: keeps the files of a step in a folder of this machine. */
const keeper = (folder: string) => `name: Keep
description: Copies files
inputs:
  name: {description: folder, required: true}
  path: {description: 'files, one a line', required: true}
  retention-days: {description: not used}
  if-no-files-found: {description: not used}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "\${{ inputs.name }}", FILES: "\${{ inputs.path }}"}
      run: |
        mkdir -p "${folder}/$NAME"
        for file in $FILES; do cp -p "$file" "${folder}/$NAME/"; done
`;

/** Where the action uploads nothing, a step of the workflow finds the files where it said. */
export async function noArtifacts(lab: Lab): Promise<void> {
  const { checks, proxy } = lab;
  await proxy.createTeams(['platform']);
  const people = crowd(5, 'platform');
  await proxy.createUsers(people);
  const rows = people.map(rowOf);
  const folder = mkdtempSync(join(tmpdir(), 'e2e-kept-'));
  try {
    const project = await Project.create(lab, {
      name: 'no-artifacts',
      csv: userList([...rows, ['new@example.com', '', 'platform', '']]),
      workflows: {
        'no-artifact-service.yml': (text) => text.replaceAll(/uses: actions\/upload-artifact@.*/g, 'uses: ./keep'),
      },
      files: { 'keep/action.yml': keeper(folder) },
    });
    const applied = await project.finished('push', project.start);
    checks.that('applied', applied.isGreen, applied.log);
    checks.equal('no artifact', (await project.artifacts(applied)).size, 0);
    const links = join(folder, 'onboarding-links', 'onboarding_links.csv');
    checks.equal('the links are readable by their owner alone', (statSync(links).mode & 0o777).toString(8), '600');
    const [, row = ''] = readFileSync(links, 'utf8').split('\n');
    checks.equal('and the key works', await proxy.chat(row.split(',')[5] ?? ''), 'hello from the lab');
    const results = readFileSync(join(folder, 'user-sync-results', 'user_sync_result.csv'), 'utf8');
    checks.contains('the results are there as well', results, 'ADDED,new@example.com');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
