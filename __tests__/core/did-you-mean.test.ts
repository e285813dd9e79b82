import { describe, expect, it } from 'vitest';
import { didYouMean } from '../../src/core/did-you-mean.ts';

describe('didYouMean', () => {
  const teams = ['support', 'sales', 'platform'];

  it.each([
    ['supprt', 'support'],
    ['suppport', 'support'],
    ['SALES', 'sales'],
    ['slaes', 'sales'],
    ['plattform', 'platform'],
    ['platfor', 'platform'],
  ])('%s is perhaps %s', (written, meant) => {
    expect(didYouMean(written, teams)).toBe(` Did you mean \`${meant}\`?`);
  });

  it.each(['', 'zzzzz', 'a', 'completely different'])('%j resembles none', (written) => {
    expect(didYouMean(written, teams)).toBe('');
  });

  it('takes the closest of several, and the first of equally close ones', () => {
    expect(didYouMean('team-b', ['team-abc', 'team-bc', 'team-bd'])).toContain('`team-bc`');
  });

  it('asks nothing where there is nothing', () => {
    expect(didYouMean('sales', [])).toBe('');
  });

  it('looks at the beginning of very long names only', () => {
    const long = 'x'.repeat(100);
    expect(didYouMean(`${long}a`, [`${long}b`])).toContain(`\`${long}b\``);
  });
});
