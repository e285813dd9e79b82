import { expect, test } from 'vitest';
import { contract } from './suite.ts';

contract('health and pages', (api) => {
  test('readiness needs no key and names no version', async () => {
    const answer = await api().as(null).get('/health/readiness');
    expect(answer).toMatchObject({ status: 200, body: { status: 'healthy', db: 'connected' } });
    expect(answer.body).not.toHaveProperty('litellm_version');
  });

  test.each(['/ui', '/ui/onboarding'])('%s redirects to itself with a slash and keeps the query', async (path) => {
    const answer = await api().as(null).get(`${path}?invitation_id=x`);
    expect(answer.status).toBe(307);
    expect(answer.headers.get('location')).toBe(`${api().baseUrl}${path}/?invitation_id=x`);
  });

  test.each(['/ui/', '/ui/onboarding/'])('%s is a page', async (path) => {
    const answer = await api().as(null).get(`${path}?invitation_id=x`);
    expect(answer).toMatchObject({ status: 200, type: 'text/html' });
  });
});
