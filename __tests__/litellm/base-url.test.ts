import { describe, expect, it } from 'vitest';
import { isUnreachableForUsers } from '../../src/litellm/transport.ts';

describe('isUnreachableForUsers', () => {
  it.each([
    'http://litellm:4000',
    'https://litellm',
    'http://localhost:4000',
    'http://litellm.ai.svc:4000',
    'http://litellm.ai.svc.cluster.local/root',
    'http://mac.local',
    'https://llm.internal.',
    'https://llm.home.arpa',
    'http://10.1.2.3:4000',
    'http://172.31.0.1',
    'http://192.168.1.5',
    'http://100.64.0.1',
    'http://169.254.1.1',
    'http://127.0.0.1:4000',
    'http://[::1]:4000',
    'http://[fd00::1]',
    'http://[fe80::1]',
    'http://[::ffff:10.0.0.1]',
  ])('%s: nobody outside can open it', (url) => {
    expect(isUnreachableForUsers(url)).toBe(true);
  });

  it.each([
    'https://litellm.example.com',
    'https://llm.svc.example.com',
    'https://local.example.com/litellm',
    'http://8.8.8.8',
    'http://172.32.0.1',
    'http://[2606:4700::1]',
    'not an address',
  ])('%s: no reason to warn', (url) => {
    expect(isUnreachableForUsers(url)).toBe(false);
  });
});
