import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startReal } from './targets.ts';

test('a real proxy that cannot be emptied fails all later tests of the run at once, those that wait for it too', async () => {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.writeHead(500).end('down');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const target = await startReal(url, 'sk-none', '1.106');
  await expect(target.reset()).rejects.toThrow('/team/list answered 500: "down"');
  const broken = 'The real proxy could not be emptied: Error: /team/list answered 500';
  await expect(target.reset()).rejects.toThrow(broken);
  await expect(startReal(url, 'sk-none', '1.106')).rejects.toThrow(broken);
  expect(requests).toBe(1);
  await target.stop();
});
