import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { authorize, identify } from './auth.ts';
import { AuthCache } from './auth-cache.ts';
import { bulkRoutes } from './bulk.ts';
import { type Call, Reply } from './context.ts';
import { type Fault, play, type SeenRequest } from './faults.ts';
import { invitationRoutes } from './invitations.ts';
import { keyRoutes } from './keys.ts';
import { modelRoutes } from './models.ts';
import { pageRoutes } from './pages.ts';
import { problem, Refusal, worded } from './refusal.ts';
import { type Match, Router } from './router.ts';
import { plant } from './seed.ts';
import { makeKey, State } from './state.ts';
import { teamRoutes } from './teams.ts';
import type { Caller, InternalUserBudget, NewUserDefaults, Seed } from './types.ts';
import { userRoutes } from './users.ts';
import { type Body, refuseIssues } from './validate.ts';
import { type Behaviour, behaviourOf, type Version } from './versions.ts';

export type { Fault, SeenRequest } from './faults.ts';
export type { Seed } from './types.ts';

export interface StandinOptions {
  /** Made up when missing. */
  readonly masterKey?: string;
  /** 0, a free one, when missing. */
  readonly port?: number;
  /** Begins with `/`; requests outside it get 404. */
  readonly rootPath?: string;
  readonly version?: Version;
  readonly seed?: Seed;
  /** Before every answer. */
  readonly latencyMs?: number;
  /** Users that the license allows, `default_user_id` among them; unlimited when missing. */
  readonly licenseSeats?: number;
  readonly newUserDefaults?: NewUserDefaults;
  readonly internalUserBudget?: InternalUserBudget;
  /** `fake-model` when missing. */
  readonly models?: readonly string[];
  /** How long the proxy remembers a key that was used: 60 on a real one; 0, every change counts at once, when missing. */
  readonly cacheSeconds?: number;
  /** Called, and awaited, before a request takes effect. */
  readonly onRequest?: (request: SeenRequest) => void | Promise<void>;
  readonly fault?: (request: SeenRequest) => Fault | null;
}

export interface LoggedRequest {
  readonly method: string;
  readonly route: string;
  readonly path: string;
  /** 0: no whole answer was sent. */
  readonly status: number;
}

export interface Standin {
  /** With the root path, without a trailing slash. */
  readonly baseUrl: string;
  readonly masterKey: string;
  readonly state: State;
  /** Every request in the order of its answer. */
  readonly requests: readonly LoggedRequest[];
  close(): Promise<void>;
}

const ROUTES = [
  ...pageRoutes,
  ...userRoutes,
  ...teamRoutes,
  ...keyRoutes,
  ...invitationRoutes,
  ...bulkRoutes,
  ...modelRoutes,
];

/** Starts a LiteLLM proxy that lives in memory, on 127.0.0.1. */
export async function startStandin(options: StandinOptions = {}): Promise<Standin> {
  const handler = new Handler(options);
  const server = createServer((request, response) => {
    handler.serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(options.port ?? 0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}${options.rootPath ?? ''}`,
    masterKey: handler.masterKey,
    state: handler.state,
    requests: handler.requests,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

class Handler {
  readonly state = new State();
  readonly requests: LoggedRequest[] = [];
  readonly masterKey: string;
  readonly #options: StandinOptions;
  readonly #behaviour: Behaviour;
  readonly #router: Router;
  readonly #cache: AuthCache;
  #count = 0;
  #writes = 0;

  constructor(options: StandinOptions) {
    this.#options = options;
    this.masterKey = options.masterKey ?? makeKey();
    this.#behaviour = behaviourOf(options.version ?? '1.106');
    this.#router = new Router(ROUTES, this.#behaviour);
    this.#cache = new AuthCache(this.state, this.#behaviour, options.cacheSeconds ?? 0);
    plant(this.state, options.seed ?? {}, this.#behaviour);
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readText(request);
    const seen = this.#see(request, raw);
    await this.#options.onRequest?.(seen);
    if (this.#options.latencyMs) await wait(this.#options.latencyMs);
    const fault = this.#options.fault?.(seen) ?? null;
    const effect = () => this.#answer(request, seen, raw);
    const sent = fault === null ? effect() : await play(fault, response, effect);
    this.requests.push({ method: seen.method, route: seen.route, path: seen.path, status: sent?.status ?? 0 });
    if (sent !== null) send(response, sent);
  }

  #see(request: IncomingMessage, raw: string): SeenRequest {
    const method = request.method ?? 'GET';
    const url = new URL(request.url ?? '/', 'http://standin');
    const { rootPath = '' } = this.#options;
    const inside = url.pathname.startsWith(`${rootPath}/`);
    const path = inside ? url.pathname.slice(rootPath.length) : url.pathname;
    const index = this.#count++;
    const writeIndex = method === 'GET' || method === 'HEAD' ? null : this.#writes++;
    const route = inside ? (this.#router.find(path)?.route.path ?? path) : `outside ${path}`;
    return { method, route, path, query: url.searchParams, body: parsed(raw), index, writeIndex };
  }

  #answer(request: IncomingMessage, seen: SeenRequest, raw: string): Reply {
    try {
      if (seen.route.startsWith('outside')) throw new Refusal(404, { detail: 'Not Found' });
      const match = this.#router.match(seen.method, seen.path);
      const managementV1 = match.route.path.startsWith('/management/v1');
      refuseBrokenJson(raw, seen.body, managementV1);
      const caller = this.#caller(request, match);
      const issues = match.route.body?.(bodyOf(seen.body), ['body'], this.#behaviour) ?? [];
      refuseIssues(issues, managementV1);
      const answer = match.route.answer(this.#call(match, seen, caller, request));
      return answer instanceof Reply ? answer : new Reply(200, answer, {});
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, body, type } = worded(error, this.#behaviour);
      return new Reply(status, body, { 'content-type': type });
    }
  }

  #caller(request: IncomingMessage, { route }: Match): Caller {
    if (route.access === 'public') return { userId: null, role: null, keyHash: null };
    const caller = identify(this.#cache, this.#behaviour, this.masterKey, request.headers.authorization);
    authorize(caller, concretePath(request, this.#options.rootPath ?? ''), route.access, this.#behaviour);
    return caller;
  }

  #call({ params }: Match, seen: SeenRequest, caller: Caller, request: IncomingMessage): Call {
    return {
      state: this.state,
      behaviour: this.#behaviour,
      caller,
      origin: `http://${request.headers.host}${this.#options.rootPath ?? ''}`,
      query: seen.query,
      body: (seen.body ?? {}) as Body,
      params,
      licenseSeats: this.#options.licenseSeats ?? null,
      newUserDefaults: this.#options.newUserDefaults ?? {},
      internalUserBudget: this.#options.internalUserBudget ?? {},
      models: this.#options.models ?? ['fake-model'],
      cache: this.#cache,
    };
  }
}

function concretePath(request: IncomingMessage, rootPath: string): string {
  return new URL(request.url ?? '/', 'http://standin').pathname.slice(rootPath.length);
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** `undefined` without a body, or with one that is not JSON. */
function parsed(raw: string): unknown {
  try {
    return raw === '' ? undefined : JSON.parse(raw);
  } catch {
    return undefined;
  }
}

/** A missing body is `undefined` here, which a body's check words as FastAPI does. */
function bodyOf(body: unknown): unknown {
  if (body === undefined)
    throw new Refusal(422, { detail: [{ type: 'missing', loc: ['body'], msg: 'Field required' }] });
  return body;
}

function refuseBrokenJson(raw: string, body: unknown, managementV1: boolean): void {
  if (raw === '' || body !== undefined) return;
  if (managementV1)
    throw problem(422, 'invalid-request-body', 'Invalid request body', `${raw.length}: JSON decode error`);
  throw new Refusal(422, { detail: [{ type: 'json_invalid', loc: ['body', raw.length], msg: 'JSON decode error' }] });
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  const type = headers['content-type'] ?? 'application/json';
  const text = typeof body === 'string' && !type.includes('json') ? body : JSON.stringify(body);
  if (body === null) response.writeHead(status, { ...headers, 'content-length': 0 }).end();
  else
    response
      .writeHead(status, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(text) })
      .end(text);
}
