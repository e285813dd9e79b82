import { expect, test } from 'vitest';
import { contract } from './suite.ts';

contract('health and pages', (api, target, is) => {
  const isOfVersion = () => expect.stringMatching(new RegExp(`^${target().version.replace('.', '\\.')}\\.`));

  test('readiness needs no key, and names the version on the older ones', async () => {
    const answer = await api().as(null).get('/health/readiness');
    expect(answer).toMatchObject({ status: 200, body: { db: 'connected' } });
    if (is.namesRelease) expect(answer.body.litellm_version).toEqual(isOfVersion());
    else expect(answer.body).not.toHaveProperty('litellm_version');
  });

  test('details of readiness name it on the newer ones, to administrators and viewers', async () => {
    const path = '/health/readiness/details';
    const viewer = api().as(await api().makeKeyOf('proxy_admin_viewer'));
    const internal = api().as(await api().makeKeyOf('internal_user'));
    const answers = [await api().get(path), await viewer.get(path), await internal.get(path)];
    const statuses = answers.map((answer) => answer.status);
    if (is.namesRelease) return expect(statuses).not.toContain(200);
    expect(statuses).toEqual([200, 200, 401]);
    expect(answers[0]?.body).toMatchObject({ litellm_version: isOfVersion() });
    expect((await api().as(null).get(path)).status).not.toBe(200);
  });

  test('the OpenAPI description names the version on all, without a key', async () => {
    expect((await api().as(null).get('/openapi.json')).body.info.version).toEqual(isOfVersion());
  });

  test('models, for whoever has a key', async () => {
    const key = await api().makeKeyOf('internal_user');
    const models = { object: 'list', data: [{ id: 'fake-model', object: 'model' }] };
    if (target().state !== null) expect((await api().as(key).get('/v1/models')).body).toMatchObject(models);
    else expect((await api().as(key).get('/v1/models')).body).toMatchObject({ object: 'list' });
    expect(await api().as(null).get('/v1/models')).toMatchObject({ status: 401 });
  });

  const pages = is.onboardingPage ? ['/ui', '/ui/onboarding'] : ['/ui'];

  test.skipIf(is.onboardingPage)('no onboarding page, unless the image has one that the package lacks', async () => {
    expect([404, 307]).toContain((await api().as(null).get('/ui/onboarding?invitation_id=x')).status);
  });

  test.each(pages)('%s redirects to itself with a slash and keeps the query', async (path) => {
    const answer = await api().as(null).get(`${path}?invitation_id=x`);
    expect(answer.status).toBe(307);
    expect(answer.headers.get('location')).toBe(`${api().baseUrl}${path}/?invitation_id=x`);
  });

  test.each(pages)('%s/ is a page', async (path) => {
    const answer = await api().as(null).get(`${path}/?invitation_id=x`);
    expect(answer).toMatchObject({ status: 200, type: 'text/html' });
  });
});
