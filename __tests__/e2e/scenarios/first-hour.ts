import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { section } from '../comment.ts';
import type { Pull } from '../forge.ts';
import { fileOf, type Lab, Project, published, ROOT } from '../project.ts';
import { crowd, user } from './people.ts';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The first code block of a section of the README. */
function block(title: string): string {
  const text = README.split(/^#{2,3} /m).find((part) => part.replace(/^\d+\. /, '').startsWith(title)) ?? '';
  const found = /^```\w+\n([\s\S]*?)^```$/m.exec(text)?.[1];
  if (found === undefined) throw new Error(`README.md: no code block under "${title}".`);
  return found;
}

/** As the README says, from an empty repository to the third pull request. */
export async function firstHour(lab: Lab): Promise<void> {
  const { checks, forge, proxy } = lab;
  await proxy.createTeams(['platform', 'research']);
  await proxy.createUsers([user('amy', 'proxy_admin', 'platform'), ...crowd(12, 'platform')]);
  const before = await proxy.picture();
  const start = Date.now();
  const project = await Project.bare(lab, 'first-hour');
  const first = await openFirst(lab, project);
  const planned = await project.finished('pull_request', first.head.sha);
  const [welcome] = await project.comments(first);
  checks.that('the first comment is there', planned.isGreen && welcome !== undefined, planned.log);
  console.log(
    `     from the README to the first comment: ${((Date.now() - start) / 1000).toFixed(0)} s of machine time`,
  );
  checks.contains('it says that the file is what the proxy has', welcome?.body ?? '', '**No changes.**', '13 users');
  const begun = await project.merge(first);
  checks.that('merged: nothing to do', begun.isGreen && begun.log.includes('No changes'), begun.log);
  checks.equal('nothing was written so far', await proxy.picture(), before);

  const list = await forge.file(project.repository, 'user_list.csv');
  await changeSomething(lab, project, list);
  await slipAndMend(lab, project, await forge.file(project.repository, 'user_list.csv'));
}

/** Steps 2, 4 and 5: the export, what must not be committed, the workflow, who may approve; then the pull request. */
async function openFirst({ checks, forge, proxy }: Lab, project: Project): Promise<Pull> {
  const { repository } = project;
  await forge.inClone(async (folder, git) => {
    git('clone', '-q', forge.remote(repository), folder);
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    git('switch', '-q', '-c', 'litellm-users');
    const env = { ...process.env, LITELLM_BASE_URL: proxy.url, LITELLM_MASTER_KEY: proxy.masterKey };
    execFileSync(process.execPath, [join(ROOT, 'dist/cli/index.js'), 'export'], { cwd: folder, env, stdio: 'pipe' });
    const ignored = /printf '%s\\n' (.*) >> \.gitignore/.exec(block('The first file'))?.[1] ?? '';
    checks.contains('links and keys are kept out of the repository', ignored, 'onboarding_links.csv', '.env');
    appendFileSync(join(folder, '.gitignore'), `${ignored.split(' ').join('\n')}\n`);
    write('.github/workflows/litellm-users.yml', published(block('The workflow')));
    write('.github/CODEOWNERS', block('Who may approve'));
    git('add', '.');
    git('commit', '-q', '-m', 'Users of the LiteLLM proxy');
    git('push', '-q', 'origin', 'litellm-users');
  });
  return forge.openPull(repository, 'litellm-users', 'Users of the LiteLLM proxy');
}

/** The second pull request: a role, a colleague. */
async function changeSomething({ checks, proxy }: Lab, project: Project, list: string): Promise<void> {
  const changed = list.replace(/^(user-001@example\.com,)internal_user,/m, '$1internal_user_viewer,');
  const { pull, planned } = await project.propose('colleague', `${changed}nia@example.com,internal_user,research\n`);
  checks.that('the second pull request is planned', planned.isGreen, planned.log);
  const [plan] = await project.comments(pull);
  checks.contains('with its two changes', plan?.body ?? '', '**1 to add, 1 to update**, 12 unchanged');
  const merged = await project.merge(pull);
  checks.that('and applied', merged.isGreen, merged.log);
  const [result] = await project.comments(pull);
  checks.contains('the comment is the result', result?.body ?? '', '**1 added, 1 updated**', 'Onboarding links');
  const links = fileOf(await project.artifacts(merged), 'onboarding-links', 'onboarding_links.csv');
  const [, row = ''] = links.split('\n');
  checks.that('the link waits in the artifact', /^nia@example\.com,.*invitation_id=/.test(row), links);
  checks.equal('and the key answers', await proxy.answers(row.split(',')[5] ?? ''), true);
}

/** The third: half of the file is gone and a role is none; then only one row is gone. */
async function slipAndMend({ checks, proxy }: Lab, project: Project, list: string): Promise<void> {
  const before = await proxy.picture();
  const lines = list.trimEnd().split('\n');
  const bad = [...lines, 'oli@example.com,admin,research', ''].join('\n');
  const { pull, planned } = await project.propose('slip', bad);
  checks.that('a bad row is red', !planned.isGreen);
  const [problem] = await project.comments(pull);
  checks.contains(
    'and says where, and what is allowed',
    problem?.body ?? '',
    String(lines.length + 1),
    'internal_user',
  );

  const half = await project.amend('slip', `${lines.slice(0, 7).join('\n')}\n`);
  checks.that('half of the file gone: red', !half.isGreen);
  const [refused] = await project.comments(pull);
  checks.contains('with numbers and the way out', refused?.body ?? '', 'max-deletes', 'put the missing rows back');
  checks.equal('nothing was written', await proxy.picture(), before);

  const mended = await project.amend('slip', list.replace(/^user-012@.*\n/m, ''));
  checks.that('mended: green', mended.isGreen, mended.log);
  const [plan, ...others] = await project.comments(pull);
  checks.equal('one comment all along', [plan?.id, others.length], [problem?.id, 0]);
  checks.equal('which shows who leaves', section(plan?.body ?? '', 'Delete').length, 1);
  const merged = await project.merge(pull);
  checks.that('applied', merged.isGreen, merged.log);
  checks.equal('they are gone', (await proxy.people()).has('user-012@example.com'), false);
}
