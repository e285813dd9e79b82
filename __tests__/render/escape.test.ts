import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { code, link, plain, prose, tableRow } from '../../src/render/escape.ts';
import { hostileValue } from './arbitraries.ts';
import { decoded, parse } from './gfm.ts';
import { HOSTILE } from './plans.ts';

const value = hostileValue.filter((text) => text !== '');

function cellOf(markdown: string) {
  const { tables, codes, types } = parse(`| a | b |\n| --- | --- |\n${tableRow([markdown, 'end'])}\n`);
  return { rows: tables.map((table) => table.rows.map((row) => row.map((cell) => cell.text))), codes, types };
}

describe('code', () => {
  it('is one code span that reads as the value, in a paragraph', () => {
    fc.assert(
      fc.property(value, (text) => {
        const { codes, types } = parse(`Value ${code(text)} end`);
        expect(codes.map(decoded)).toEqual([text]);
        expect([...types].sort()).toEqual(['codespan', 'paragraph', 'text']);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is one code span in one cell of a table', () => {
    fc.assert(
      fc.property(value, (text) => {
        const { rows, codes } = cellOf(code(text));
        expect(codes.map(decoded)).toEqual([text]);
        expect(rows[0]?.map((row) => row.length)).toEqual([2]);
        expect(rows[0]?.[0]?.[1]).toBe('end');
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(HOSTILE)('shows nothing of %j that a reader of raw Markdown could take for a marker or a line', (text) => {
    expect(code(text)).not.toMatch(/<!--|[\r\n]/);
  });

  it('shortens what is too long and says by how much', () => {
    expect(code('é'.repeat(1_000))).toBe(`\`${'é'.repeat(200)}\`… (800 more characters)`);
  });

  it('has a word for nothing', () => {
    expect(code('')).toBe('(empty)');
  });
});

describe('prose', () => {
  /** All that may stand outside code: nothing of it can be a mention, a reference, a link, an emoji or a formula. */
  const HARMLESS = /^(?:[\p{L}\p{M}\d\s.,;:!?()%'’=–—…→-]|\0)*$/u;

  it('leaves only harmless words outside code', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(hostileValue, fc.lorem({ maxCount: 3 }))), (parts) => {
        const { texts, types, html } = parse(`- ${prose(parts.join(' '))}`);
        for (const text of texts) {
          expect(text).toMatch(HARMLESS);
          expect(text).not.toMatch(/:[\w+-]+:|\b[0-9a-f]{7,40}\b|\w-\d|\w\.\w*[a-z]/i);
        }
        expect(html).toEqual([]);
        for (const type of types) expect(['list', 'list_item', 'text', 'paragraph', 'codespan']).toContain(type);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps every word, in order', () => {
    const words = fc.array(fc.stringMatching(/^[\w@.#/:<>|-]+$/), { minLength: 1 });
    fc.assert(
      fc.property(words, (parts) => {
        const { codes, texts } = parse(`| ${'a'} |\n| --- |\n${tableRow([prose(parts.join(' '))])}`);
        let index = 0;
        const shown = (texts.at(-1) ?? '').replaceAll('\0', () => decoded(codes[index++] ?? ''));
        expect(shown.replaceAll(' ', '')).toBe(parts.join(''));
      }),
    );
  });

  it.each([
    ['Unknown role `admin`: allowed are `proxy_admin`.', 'Unknown role `admin`: allowed are `proxy_admin`.'],
    ['The same email twice: ann@example.com (line 2).', 'The same email twice: `ann@example.com` (line 2).'],
    ['1. item', '`1`. item'],
    ["CSV file 'user_list.csv' not found.", 'CSV file `user_list.csv` not found.'],
    [
      "Set 'api-keys: false', or mail the links ('deliver: smtp').",
      'Set `api-keys: false`, or mail the links (`deliver: smtp`).',
    ],
    ["The users' rows don't hold '@ann' and '<b>'.", "The `users'` rows don't hold `@ann` and `<b>`."],
    ['', ''],
  ])('%j', (message, expected) => {
    expect(prose(message)).toBe(expected);
  });
});

describe('link', () => {
  it('goes to the address and nowhere else', () => {
    const { links } = parse(`${link('the artifact', 'https://github.com/a/b/runs/1(2)|3`4')} end`);
    expect(links).toEqual(['https://github.com/a/b/runs/1%282%29%7C3%604']);
  });

  it('shows what is no web address as a value', () => {
    expect(link('run', 'javascript:alert(1)')).toBe('run: `javascript:alert(1)`');
  });
});

describe('plain', () => {
  it('lets no control character, bidi override or workflow command through, and loses nothing', () => {
    fc.assert(
      fc.property(hostileValue, (text) => {
        const shown = plain(text);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]|##\[|^::/u);
        expect(decoded(shown)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves letters of any script, marks and emoji alone', () => {
    expect(plain('Ærø 東京 עברית 🎉 naïve')).toBe('Ærø 東京 עברית 🎉 naïve');
  });
});
