import { unzip } from '../../e2e/unzip.ts';
import { type Answered, type Asked, LocalService } from './server.ts';

const TWIRP = '/twirp/github.actions.results.api.v1.ArtifactService/';

/** GitHub's artifact service as `@actions/artifact` speaks to it, with the storage behind it. */
export class FakeArtifacts extends LocalService {
  /** The files of every finished artifact, by the artifact's name. */
  readonly finished = new Map<string, Map<string, Buffer>>();
  /** Bodies of all calls of the service, in their order. */
  readonly calls: { readonly method: string; readonly body: Record<string, unknown> }[] = [];
  /** Answers every call with this status. */
  failing: number | null = null;
  /** Called before a call of the service is answered. */
  onCall: (method: string, body: Record<string, unknown>) => void = () => {};
  readonly #blocks = new Map<string, Buffer>();
  readonly #blobs = new Map<string, Buffer>();

  /** Text of a file; fails where there is none. */
  text(artifact: string, file: string): string {
    const content = this.finished.get(artifact)?.get(file);
    if (content === undefined) throw new Error(`No ${file} in artifact ${artifact}: ${[...this.finished.keys()]}`);
    return content.toString('utf8');
  }

  filesOf(artifact: string): string[] {
    return [...(this.finished.get(artifact)?.keys() ?? [])].sort();
  }

  protected override answer({ method, url, body }: Asked): Answered {
    if (url.pathname.startsWith('/blob/')) return this.#store(method, url, body);
    if (!url.pathname.startsWith(TWIRP)) return { status: 404, body: { code: 'bad_route', msg: url.pathname } };
    const asked = { method: url.pathname.slice(TWIRP.length), body: JSON.parse(body.toString()) };
    this.calls.push(asked);
    this.onCall(asked.method, asked.body);
    if (this.failing !== null) return { status: this.failing, body: { code: 'internal', msg: 'the service is down' } };
    return asked.method === 'CreateArtifact' ? this.#create(asked.body) : this.#finalize(asked.body);
  }

  #create({ name }: Record<string, unknown>): Answered {
    if (this.finished.has(String(name))) {
      const msg = 'an artifact with this name already exists on the workflow run';
      return { status: 409, body: { code: 'already_exists', msg } };
    }
    const address = `${this.origin}/blob/${encodeURIComponent(String(name))}?sig=signature-of-the-storage`;
    return { status: 200, body: { ok: true, signed_upload_url: address } };
  }

  #finalize({ name }: Record<string, unknown>): Answered {
    const zip = this.#blobs.get(String(name));
    if (zip === undefined) return { status: 404, body: { code: 'not_found', msg: 'no such artifact' } };
    this.finished.set(String(name), unzip(zip));
    return { status: 200, body: { ok: true, artifact_id: String(9000 + this.finished.size) } };
  }

  /** Azure's block blobs: blocks one by one, then their order. */
  #store(method: string, url: URL, body: Buffer): Answered {
    if (method !== 'PUT') return { status: 405 };
    const name = decodeURIComponent(url.pathname.slice('/blob/'.length));
    const part = url.searchParams.get('comp');
    if (part === 'block') this.#blocks.set(`${name} ${url.searchParams.get('blockid')}`, body);
    else if (part === 'blocklist') {
      const ids = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, id]) => `${name} ${id}`);
      this.#blobs.set(name, Buffer.concat(ids.map((id) => this.#blocks.get(id) as Buffer)));
    } else this.#blobs.set(name, body);
    return { status: 201, headers: { etag: '"1"', 'last-modified': new Date(0).toUTCString() } };
  }
}

/** A job's token for the artifact service: a JWT whose scope names run and job. */
export function runtimeToken(): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return [part({ alg: 'RS256', typ: 'JWT' }), part({ scp: 'Actions.Results:run-1:job-1' }), 'signature'].join('.');
}
