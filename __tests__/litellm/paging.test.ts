import { describe, expect, it } from 'vitest';
import { IncompleteInventoryError } from '../../src/litellm/errors.ts';
import { type Page, readAll } from '../../src/litellm/paging.ts';

/** A listing whose every reading is scripted: `readings[n][page - 1]`. */
function scripted(readings: readonly (readonly Page<string>[])[]) {
  const asked: number[] = [];
  let reading = -1;
  const page = async (number: number): Promise<Page<string>> => {
    if (number === 1) reading++;
    asked.push(number);
    const found = readings[reading]?.[number - 1];
    if (found === undefined) throw new Error(`page ${number} of reading ${reading + 1} was not expected`);
    return found;
  };
  return { asked, listing: { route: 'GET /user/list', concurrency: 3, page } };
}

/** Users `from` to `to`, the last one excluded. */
function page(from: number, to: number, total: number): Page<string> {
  const ids = Array.from({ length: to - from }, (_, index) => `u${from + index}`);
  return { ids, rows: ids.map((id) => id.toUpperCase()), total };
}

const complete = [page(0, 100, 250), page(100, 200, 250), page(200, 250, 250)];

describe('readAll', () => {
  it.each([
    ['nothing', [page(0, 0, 0)], 0, [1]],
    ['one full page', [page(0, 100, 100)], 100, [1]],
    ['one row more', [page(0, 100, 101), page(100, 101, 101)], 101, [1, 2]],
    ['three pages', complete, 250, [1, 2, 3]],
  ])('reads %s with the fewest requests, in order', async (_name, pages, count, asked) => {
    const script = scripted([pages]);
    const rows = await readAll(script.listing);
    expect(rows).toEqual(Array.from({ length: count }, (_, index) => `U${index}`));
    expect(script.asked).toEqual(asked);
  });

  it.each([
    ['as many', 250, complete, 250],
    ['more', 301, [...complete, page(250, 250, 250)], 250],
    ['fewer', 150, complete, 250],
    ['none', 0, [page(0, 0, 0)], 0],
  ])('where %s are expected, asks for those pages at once', async (_name, expected, pages, count) => {
    const script = scripted([pages]);
    expect(await readAll({ ...script.listing, expected })).toHaveLength(count);
    expect(script.asked).toEqual(pages.map((_page, index) => index + 1));
  });

  it.each([
    ['a user came twice, another not at all', [page(0, 100, 250), page(99, 199, 250), page(200, 250, 250)]],
    ['the total changed between pages', [page(0, 100, 250), page(100, 200, 251), page(200, 250, 250)]],
    ['a page was short', [page(0, 100, 250), page(100, 150, 250), page(200, 250, 250)]],
    ['there are more than the total', [page(0, 100, 99)]],
    ['an empty page claims users', [page(0, 0, 50)]],
  ])('reads once more from the start where %s', async (_name, broken) => {
    expect(await readAll(scripted([broken, complete]).listing)).toHaveLength(250);
    const error = await readAll(scripted([broken, broken]).listing).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(IncompleteInventoryError);
    expect((error as Error).message).toMatch(/^GET \/user\/list is not complete, read twice: it names \d+/);
  });

  it('never takes an empty second reading for an empty proxy when totals disagree with rows', async () => {
    const script = scripted([[page(0, 0, 3)], [page(0, 0, 3)]]);
    await expect(readAll(script.listing)).rejects.toThrow('names 3 rows and gave 0 different ones');
  });

  it('starts no further page after one has failed', async () => {
    const asked: number[] = [];
    const failing = async (number: number): Promise<Page<string>> => {
      asked.push(number);
      if (number === 2) throw new Error('page 2 is broken');
      return page((number - 1) * 100, number * 100, 2000);
    };
    await expect(readAll({ route: 'r', concurrency: 3, page: failing })).rejects.toThrow('page 2 is broken');
    expect(asked.length).toBeLessThan(8);
  });
});
