import { apiComment, apiIssue, apiPull, NOT_ACCESSIBLE, NOT_FOUND, TOO_LONG } from '../../github/support.ts';
import { blobSha } from './blob.ts';
import { type Answered, type Asked, LocalService } from './server.ts';

type ApiPull = ReturnType<typeof apiPull>;
type ApiComment = ReturnType<typeof apiComment>;
type ApiIssue = ReturnType<typeof apiIssue>;

export interface SeenCall {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: string;
}

const REPOSITORY = '/repos/acme/users';
const LONGEST_COMMENT = 65_536;
const BOT = 'github-actions[bot]';

/** The part of GitHub's REST API that a run uses, in memory, with GitHub's own shapes, limits and refusals. */
export class FakeGitHub extends LocalService {
  readonly calls: SeenCall[] = [];
  readonly pulls = new Map<number, ApiPull>();
  /** By commit: the numbers of its pull requests, as `/commits/SHA/pulls` relates them. */
  readonly related = new Map<string, number[]>();
  /** By ref (a branch or a commit), then by path. */
  readonly files = new Map<string, Map<string, Buffer>>();
  /** By number. */
  readonly issues = new Map<number, ApiIssue>();
  /** From so many bytes on the contents API refuses a file: GitHub does above 100 MB. */
  largestContent = 100_000_000;
  /** An answer in place of the true one; `null`: the true one. */
  refuse: (call: SeenCall) => Answered | null = () => null;
  readonly #comments = new Map<number, { pull: number; comment: ApiComment }>();
  #nextId = 1001;

  /** The writes, without the look-ups. */
  get writes(): string[] {
    return this.calls.filter(({ method, path }) => method !== 'GET' && path !== '/graphql').map(shown);
  }

  openPull(number: number, overrides: Parameters<typeof apiPull>[1] = {}): void {
    this.pulls.set(number, apiPull(number, { mergedAt: null, ...overrides }));
  }

  /** @param minute of the day: later merges are newer */
  mergePull(number: number, mergeCommit: string, minute = number): void {
    const pull = this.pulls.get(number) as ApiPull;
    const mergedAt = new Date(Date.UTC(2026, 10, 20, 10, minute)).toISOString().replace('.000', '');
    const merged = { state: 'closed', merged_at: mergedAt, updated_at: mergedAt, merge_commit_sha: mergeCommit };
    this.pulls.set(number, { ...pull, ...merged });
  }

  comment(pull: number, body: string, login = BOT): number {
    const id = this.#nextId++;
    this.#comments.set(id, { pull, comment: apiComment(id, body, login) });
    return id;
  }

  /** Somebody with write access edits a comment. */
  edit(id: number, body: string): void {
    const entry = this.#comments.get(id);
    if (entry === undefined) throw new Error(`There is no comment ${id}.`);
    this.#comments.set(id, { ...entry, comment: { ...entry.comment, body } });
  }

  commentsOf(pull: number): string[] {
    return [...this.#comments.values()].filter((entry) => entry.pull === pull).map(({ comment }) => comment.body);
  }

  get allComments(): string[] {
    return [...this.#comments.values()].map(({ comment }) => comment.body);
  }

  setFile(ref: string, path: string, content: Buffer | null): void {
    const files = this.files.get(ref) ?? new Map<string, Buffer>();
    if (content === null) files.delete(path);
    else files.set(path, content);
    this.files.set(ref, files);
  }

  protected override answer({ method, url, body }: Asked): Answered {
    const call = { method, path: url.pathname + url.search, body: body.toString() };
    this.calls.push(call);
    return this.refuse(call) ?? this.#route(method, url, call.body);
  }

  #route(method: string, url: URL, body: string): Answered {
    const path = decodeURIComponent(url.pathname);
    // A job's token is an installation's: it has no user.
    if (path === '/graphql' || path === '/user') return { status: 403, body: NOT_ACCESSIBLE };
    const inside = path.startsWith(`${REPOSITORY}/`) ? path.slice(REPOSITORY.length) : '';
    const routes: [RegExp, (match: RegExpExecArray) => Answered][] = [
      [/^GET \/pulls\/(\d+)$/, ([, number]) => found(this.pulls.get(Number(number)))],
      [/^GET \/pulls$/, () => this.#pullPage(url)],
      [
        /^GET \/issues$/,
        () =>
          page(
            [...this.issues.values()].filter(({ state }) => state === 'open'),
            url,
          ),
      ],
      [/^POST \/issues$/, () => this.#newIssue(body)],
      [/^PATCH \/issues\/(\d+)$/, ([, number]) => this.#editIssue(Number(number), body)],
      [/^GET \/issues\/(\d+)\/comments$/, ([, number]) => this.#commentPage(Number(number), url)],
      [/^POST \/issues\/(\d+)\/comments$/, ([, number]) => this.#newComment(Number(number), body)],
      [/^PATCH \/issues\/comments\/(\d+)$/, ([, id]) => this.#editComment(Number(id), body)],
      [/^DELETE \/issues\/comments\/(\d+)$/, ([, id]) => this.#deleteComment(Number(id))],
      [/^GET \/commits\/(\w+)\/pulls$/, ([, sha = '']) => this.#pullsOf(sha)],
      [/^GET \/contents\/(.+)$/, ([, file = '']) => this.#content(file, url.searchParams.get('ref') ?? 'main')],
      [/^GET \/git\/trees\/(.+)$/, ([, ref = '']) => this.#tree(ref)],
      [/^GET \/git\/commits\/(\w+)$/, ([, ref = '']) => found(this.files.has(ref) ? { sha: ref } : undefined)],
      [/^GET \/git\/blobs\/(\w+)$/, ([, sha = '']) => this.#blob(sha)],
      [/^GET \/branches\/(.+)$/, ([, name = '']) => found(this.files.has(name) ? { name } : undefined)],
    ];
    for (const [pattern, answer] of routes) {
      const match = pattern.exec(`${method} ${inside}`);
      if (match !== null) return answer(match);
    }
    return { status: 404, body: NOT_FOUND };
  }

  #pullPage(url: URL): Answered {
    const [base, state] = [url.searchParams.get('base'), url.searchParams.get('state')];
    const pulls = [...this.pulls.values()].filter((pull) => pull.state === state && pull.base.ref === base);
    return page(
      pulls.sort((a, b) => b.updated_at.localeCompare(a.updated_at)),
      url,
    );
  }

  #commentPage(pull: number, url: URL): Answered {
    if (!this.pulls.has(pull)) return { status: 404, body: NOT_FOUND };
    const comments = [...this.#comments.values()].filter((entry) => entry.pull === pull);
    return page(
      comments.map(({ comment }) => comment),
      url,
    );
  }

  #newComment(pull: number, text: string): Answered {
    if (!this.pulls.has(pull) && !this.issues.has(pull)) return { status: 404, body: NOT_FOUND };
    const { body } = JSON.parse(text) as { body: string };
    if (body.length > LONGEST_COMMENT) return { status: 422, body: TOO_LONG };
    return { status: 201, body: this.#comments.get(this.comment(pull, body))?.comment };
  }

  #editComment(id: number, text: string): Answered {
    const entry = this.#comments.get(id);
    if (entry === undefined) return { status: 404, body: NOT_FOUND };
    const { body } = JSON.parse(text) as { body: string };
    if (body.length > LONGEST_COMMENT) return { status: 422, body: TOO_LONG };
    const comment = { ...entry.comment, body };
    this.#comments.set(id, { ...entry, comment });
    return { status: 200, body: comment };
  }

  #deleteComment(id: number): Answered {
    return this.#comments.delete(id) ? { status: 204 } : { status: 404, body: NOT_FOUND };
  }

  #pullsOf(sha: string): Answered {
    const pulls = (this.related.get(sha) ?? []).flatMap((number) => this.pulls.get(number) ?? []);
    return { status: 200, body: pulls };
  }

  #newIssue(text: string): Answered {
    const { title, body } = JSON.parse(text) as { title: string; body: string };
    const number = 500 + this.issues.size;
    this.issues.set(number, { ...apiIssue(number, body), title });
    return { status: 201, body: this.issues.get(number) };
  }

  #editIssue(number: number, text: string): Answered {
    const issue = this.issues.get(number);
    if (issue === undefined) return { status: 404, body: NOT_FOUND };
    this.issues.set(number, { ...issue, ...(JSON.parse(text) as Partial<ApiIssue>) });
    return { status: 200, body: this.issues.get(number) };
  }

  /** Without its content above 1 MB, and refused above a limit. */
  #content(path: string, ref: string): Answered {
    const content = this.files.get(ref)?.get(path);
    if (content === undefined) return { status: 404, body: NOT_FOUND };
    if (content.length > this.largestContent) {
      const errors = [{ resource: 'Blob', field: 'data', code: 'too_large' }];
      return { status: 403, body: { message: 'The requested blob is too large to fetch via the API.', errors } };
    }
    const isSent = content.length <= 1_000_000;
    const common = { type: 'file', name: path.split('/').at(-1), path, size: content.length, sha: blobSha(content) };
    const data = { encoding: isSent ? 'base64' : 'none', content: isSent ? content.toString('base64') : '' };
    return { status: 200, body: { ...common, ...data } };
  }

  /** Files in the root of the repository alone. */
  #tree(ref: string): Answered {
    const files = this.files.get(ref);
    if (files === undefined) return { status: 404, body: NOT_FOUND };
    const tree = [...files].map(([path, content]) => ({ path, type: 'blob', mode: '100644', sha: blobSha(content) }));
    return { status: 200, body: { sha: ref, tree, truncated: false } };
  }

  #blob(sha: string): Answered {
    const content = [...this.files.values()]
      .flatMap((files) => [...files.values()])
      .find((one) => blobSha(one) === sha);
    return found(content && { sha, encoding: 'base64', size: content.length, content: content.toString('base64') });
  }
}

export function shown({ method, path }: SeenCall): string {
  return `${method} ${path}`;
}

function found(body: unknown): Answered {
  return body === undefined ? { status: 404, body: NOT_FOUND } : { status: 200, body };
}

/** A page as GitHub numbers and links them. */
function page(rows: readonly unknown[], url: URL): Answered {
  const size = Math.min(Number(url.searchParams.get('per_page') ?? 30), 100);
  const number = Number(url.searchParams.get('page') ?? 1);
  const body = rows.slice((number - 1) * size, number * size);
  if (rows.length <= number * size) return { status: 200, body };
  const next = new URL(url);
  next.searchParams.set('page', String(number + 1));
  return { status: 200, body, headers: { link: `<${next}>; rel="next"` } };
}
