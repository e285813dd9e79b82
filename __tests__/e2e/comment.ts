export interface Row {
  /** Of the section that the row stands in, without `#`, sign and counts: `Add`, `Administrators`, `Not applied`. */
  readonly section: string;
  /** By column title. */
  readonly cells: Readonly<Record<string, string>>;
}

/** The rows of all tables of a comment of ours, as a reader sees them. */
export function rowsOf(body: string): Row[] {
  const rows: Row[] = [];
  let section = '';
  let titles: string[] = [];
  for (const line of body.split('\n')) {
    const heading = /^(?:###|<details><summary><strong>)\W*([A-Z][a-z]+(?: applied)?)/.exec(line);
    if (heading?.[1]) section = heading[1];
    const cells = cellsOf(line);
    if (cells === null) titles = [];
    else if (titles.length === 0) titles = cells;
    else if (!cells.every((cell) => /^:?-+:?$/.test(cell))) {
      rows.push({ section, cells: Object.fromEntries(titles.map((title, index) => [title, cells[index] ?? ''])) });
    }
  }
  return rows;
}

/** The rows of one section, each with its cells in one line. */
export function section(body: string, name: string): string[] {
  return rowsOf(body)
    .filter((row) => row.section === name)
    .map((row) => Object.values(row.cells).join(' | '));
}

/** `null`: the line is not one of a table. */
function cellsOf(line: string): string[] | null {
  if (!line.startsWith('|')) return null;
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));
}
