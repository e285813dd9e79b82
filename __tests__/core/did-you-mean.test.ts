import { describe, expect, it } from 'vitest';
import { codePointsOf, dashNote, didYouMean, isLookAlike, shown, skeleton } from '../../src/core/did-you-mean.ts';

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

describe('what looks alike', () => {
  it.each([
    ['ada', 'аdа', 'U+0430 U+0064 U+0430 in place of U+0061 U+0064 U+0061'],
    ['ada', 'ada\ufe0f', 'U+FE0F too many'],
    ['a.b', 'a．b', 'U+FF0E in place of U+002E'],
    ['a\u00adb', 'ab', 'no U+00AD'],
    ['iris', 'ırıs', 'U+0131 U+0072 U+0131 in place of U+0069 U+0072 U+0069'],
    ['iris', 'i\u0307ris', 'U+0307 too many'],
    ['o\u2019x', "o'x", 'U+0027 in place of U+2019'],
  ])('%j and %j', (a, b, difference) => {
    expect([isLookAlike(a, b), codePointsOf(b, a)]).toEqual([true, difference]);
  });

  it.each([
    ['ada', 'ADA'],
    ['ada', 'ida'],
    ['rn', 'm'],
  ])('%j and %j do not', (a, b) => {
    expect(isLookAlike(a, b)).toBe(false);
  });

  it('is suggested before what is only near', () => {
    expect(didYouMean('sаles', ['saless', 'sales'])).toBe(
      ' Did you mean `sales`? They look alike: yours has U+0430 in place of U+0061.',
    );
    expect(didYouMean('\u200b', ['sales'])).toBe('');
  });

  it('many code points are cut', () => {
    expect(shown([...'абвгдежзик'])).toBe('U+0430 U+0431 U+0432 U+0433 U+0434 U+0435 U+0436 U+0437 …');
    expect(skeleton('Аda\u3164')).toBe('ada');
  });

  it('a dash is no hyphen', () => {
    expect(['—', '-', 'a'].map(dashNote)).toEqual([' (a dash, U+2014, and no plain `-`)', '', '']);
  });
});
