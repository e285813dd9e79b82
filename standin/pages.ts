import { type Call, Reply, type Route } from './context.ts';

/** What needs no key but for one: health, the description of the API, and the pages behind an onboarding link. */
export const pageRoutes: readonly Route[] = [
  { method: 'GET', path: '/health/readiness', access: 'public', answer: readiness },
  {
    method: 'GET',
    path: '/health/readiness/details',
    access: 'admin-read',
    answer: readinessDetails,
    since: (behaviour) => behaviour.readinessDetails,
  },
  { method: 'GET', path: '/openapi.json', access: 'public', answer: openApi },
  { method: 'GET', path: '/health/liveliness', access: 'public', answer: () => "I'm alive!" },
  { method: 'GET', path: '/ui', access: 'public', answer: (call) => redirect('/ui/', call) },
  { method: 'GET', path: '/ui/', access: 'public', answer: () => html('LiteLLM') },
  {
    method: 'GET',
    path: '/ui/onboarding',
    access: 'public',
    answer: (call) => redirect('/ui/onboarding/', call),
    since: (behaviour) => behaviour.onboardingPage,
  },
  {
    method: 'GET',
    path: '/ui/onboarding/',
    access: 'public',
    answer: () => html('Onboarding'),
    since: (behaviour) => behaviour.onboardingPage,
  },
];

function readiness({ behaviour }: Call): unknown {
  const health = { status: behaviour.readinessStatus, db: 'connected' };
  return behaviour.readinessNamesRelease ? { ...health, cache: null, litellm_version: behaviour.release } : health;
}

function readinessDetails({ behaviour }: Call): unknown {
  return { status: behaviour.readinessStatus, db: 'connected', cache: null, litellm_version: behaviour.release };
}

/** The title page of the proxy's description of itself, with a path to know LiteLLM by: routes are looked for elsewhere. */
function openApi({ behaviour }: Call): unknown {
  const info = { title: 'LiteLLM API', version: behaviour.release };
  return { openapi: '3.1.0', info, paths: { '/user/new': {} } };
}

function redirect(path: string, { origin, query }: Call): Reply {
  const search = query.size === 0 ? '' : `?${query}`;
  return new Reply(307, null, { location: `${origin}${path}${search}` });
}

function html(title: string): Reply {
  const page = `<!DOCTYPE html><html lang="en"><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
  return new Reply(200, page, { 'content-type': 'text/html; charset=utf-8' });
}
