import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, createServer as createListener } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { emails } from '../commands/suite.ts';
import { Job } from './job.ts';
import { onRealProxy } from './suite.ts';

/** Debian's tinyproxy, a forward proxy; without it these tests are skipped. */
const TINYPROXY = found('tinyproxy');

function found(program: string): string | null {
  try {
    return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'way-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A forward proxy of this test alone. */
async function startTinyproxy() {
  const [path, port] = [folder(), await freePort()];
  const log = join(path, 'log');
  const lines = [`Port ${port}`, 'Listen 127.0.0.1', 'Allow 127.0.0.1', `LogFile "${log}"`, 'LogLevel Connect'];
  writeFileSync(join(path, 'conf'), `${lines.join('\n')}\n`);
  const child = spawn(TINYPROXY ?? '', ['-d', '-c', join(path, 'conf')], { stdio: 'ignore' });
  onTestFinished(() => stop(child));
  await listening(port);
  return { address: `http://127.0.0.1:${port}`, log: () => readFileSync(log, 'utf8') };
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once('close', done));
  child.kill();
  await gone;
}

async function freePort(): Promise<number> {
  const server = createListener();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const answers = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1', () => done(true)).once('error', () => done(false));
      socket.once('connect', () => socket.destroy());
    });
    if (answers) return;
    await wait(100);
  }
  throw new Error(`Nothing listens on port ${port}.`);
}

/** A TLS gateway that lets in who brings its header, and hands on the key of another header than `Authorization`. */
async function startGateway(upstream: string) {
  const path = folder();
  const [key, cert] = [join(path, 'key.pem'), join(path, 'cert.pem')];
  const name = ['-subj', '/CN=gateway', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...name], { stdio: 'ignore' }); // biome-ignore format: one command
  const seen = { let: 0, refused: 0, authorization: 0 };
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (incoming, response) => {
    const { host: _, authorization, 'x-gateway-token': token, 'x-litellm-key': bearer, ...rest } = incoming.headers;
    if (authorization !== undefined) seen.authorization++;
    if (token !== 'let-me-through') {
      seen.refused++;
      response.writeHead(403, { 'content-type': 'text/plain' }).end('The gateway wants its token.');
      return;
    }
    seen.let++;
    const headers = { ...rest, ...(bearer === undefined ? {} : { authorization: String(bearer) }) };
    const out = request(`${upstream}${incoming.url}`, { method: incoming.method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    out.once('error', () => response.destroy());
    incoming.pipe(out);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `https://localhost:${(server.address() as AddressInfo).port}`, cert, seen };
}

const NEW = 'email,role,team_name\nnew@example.com,internal_user,\n';
const SYNC = ['sync', '--max-deletes', '100%'];

onRealProxy('the way to the proxy', (proxy) => {
  test.skipIf(TINYPROXY === null)('leads through the forward proxy that HTTP_PROXY names', async () => {
    const forward = await startTinyproxy();
    const job = new Job(proxy().target);
    job.write(NEW);
    const { code, stderr } = await job.cli(SYNC, { HTTP_PROXY: forward.address });
    expect(code, stderr).toBe(0);
    expect(await emails(proxy().api)).toEqual(['new@example.com']);
    expect(forward.log()).toContain(new URL(proxy().target.baseUrl).host);
  });

  test.skipIf(TINYPROXY === null)('leads past it where NO_PROXY names the host, in either letter case', async () => {
    const forward = await startTinyproxy();
    const job = new Job(proxy().target);
    job.write(NEW);
    const { hostname, host } = new URL(proxy().target.baseUrl);
    for (const env of [
      { HTTP_PROXY: forward.address, NO_PROXY: hostname },
      { http_proxy: forward.address, no_proxy: host },
    ]) {
      const { code, stderr } = await job.cli([...SYNC, '--dry-run'], env);
      expect(code, stderr).toBe(0);
    }
    expect(forward.log()).not.toContain(host);
  });

  test('says which forward proxy cannot be reached', async () => {
    const job = new Job(proxy().target);
    job.write(NEW);
    const { code, stderr } = await job.cli([...SYNC, '--retries', '0'], {
      HTTP_PROXY: `http://127.0.0.1:${await freePort()}`,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/through the forward proxy 127\.0\.0\.1:\d+/);
    expect(await emails(proxy().api)).toEqual([]);
  });

  test.skipIf(TINYPROXY === null)(
    'leads through HTTPS_PROXY to a gateway that wants a header, with the key in another one',
    async () => {
      const forward = await startTinyproxy();
      const gateway = await startGateway(proxy().target.baseUrl);
      const job = new Job({ ...proxy().target, baseUrl: gateway.address });
      job.write(NEW);
      const env = { HTTPS_PROXY: forward.address, NODE_EXTRA_CA_CERTS: gateway.cert };
      const flags = ['--key-header', 'X-LiteLLM-Key', '--public-url', proxy().target.baseUrl];
      const closed = await job.cli([...SYNC, ...flags], env);
      expect(closed.code).toBe(1);
      expect(closed.stderr).toContain('403');
      expect(await emails(proxy().api)).toEqual([]);
      expect(gateway.seen.let).toBe(0);

      const before = gateway.seen.refused;
      const open = [...SYNC, ...flags, '--extra-headers', 'X-Gateway-Token: let-me-through'];
      const { code, stdout, stderr } = await job.cli(open, env);
      expect(code, stderr).toBe(0);
      expect(await emails(proxy().api)).toEqual(['new@example.com']);
      expect(job.read('onboarding_links.csv')).toContain('invitation_id=');
      expect([gateway.seen.refused, gateway.seen.authorization]).toEqual([before, 0]);
      expect(forward.log()).toContain(new URL(gateway.address).host);
      expect(stdout + stderr).not.toContain('let-me-through');
    },
  );
});
