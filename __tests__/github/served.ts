import nock from 'nock';
import { afterEach, beforeEach, expect } from 'vitest';

/** Each test of the file asks what it said it would, all of it and nothing else. */
export function onlyWhatIsServed(): void {
  beforeEach(() => nock.disableNetConnect());
  afterEach(() => {
    const unasked = nock.pendingMocks();
    nock.cleanAll();
    nock.enableNetConnect();
    expect(unasked).toEqual([]);
  });
}
