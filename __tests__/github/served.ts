import nock from 'nock';
import { afterEach, beforeEach, expect } from 'vitest';

/** Each test of the file asks what it said it would, all of it and nothing else; no other file is touched. */
export function onlyWhatIsServed(): void {
  beforeEach(() => {
    if (!nock.isActive()) nock.activate();
    nock.disableNetConnect();
  });
  afterEach(() => {
    const unasked = nock.pendingMocks();
    nock.cleanAll();
    nock.enableNetConnect();
    nock.restore();
    expect(unasked).toEqual([]);
  });
}
