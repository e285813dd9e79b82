import type { Route } from './context.ts';
import { Refusal } from './refusal.ts';
import type { Behaviour } from './versions.ts';

export interface Match {
  readonly route: Route;
  readonly params: readonly string[];
}

/** Finds the route of a request; 404 and 405 come before any look at the key, as in FastAPI. */
export class Router {
  readonly #exact = new Map<string, Route>();
  readonly #patterns: { readonly pattern: RegExp; readonly route: Route }[] = [];

  constructor(routes: readonly Route[], behaviour: Behaviour) {
    for (const route of routes) {
      if (route.since?.(behaviour) === false) continue;
      if (!route.path.includes('{')) this.#exact.set(route.path, route);
      else this.#patterns.push({ pattern: new RegExp(`^${route.path.replace(/\{[^}]+\}/g, '([^/]+)')}$`), route });
    }
  }

  match(method: string, path: string): Match {
    const found = this.find(path);
    if (found === null) throw new Refusal(404, { detail: 'Not Found' });
    if (found.route.method !== method) throw new Refusal(405, { detail: 'Method Not Allowed' });
    return found;
  }

  /** The route of a path, whatever the method. */
  find(path: string): Match | null {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return { route: exact, params: [] };
    for (const { pattern, route } of this.#patterns) {
      const parts = pattern.exec(path);
      if (parts !== null) return { route, params: parts.slice(1).map(decodeURIComponent) };
    }
    return null;
  }
}
