import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { csvLines, csvText, outcomesCsv, registrationsCsv } from '../../src/render/csv.ts';
import { hostileValue } from './arbitraries.ts';

const read = (text: string) => Papa.parse<string[]>(text, { delimiter: ',', skipEmptyLines: true }).data;
const formula = /^('*[=+\-@]|[\t\r])/;

describe('csvText', () => {
  it('reads back as what was written, but for the guard against formulas', () => {
    const rows = fc.array(fc.tuple(hostileValue, hostileValue, hostileValue), { maxLength: 20 });
    fc.assert(
      fc.property(rows, (cells) => {
        const [header, ...back] = read(csvText(['a', 'b', 'c'], cells));
        expect(header).toEqual(['a', 'b', 'c']);
        const guarded = (cell: string) => (formula.test(cell) && cell !== '-' ? `'${cell}` : cell);
        expect(back).toEqual(cells.map((row) => row.map(guarded)));
      }),
      { numRuns: 500 },
    );
  });

  it('holds no cell that a spreadsheet calculates', () => {
    const rows = [['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '-', 'a=1', '']];
    const back = read(csvText(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'], rows))[1];
    expect(back).toEqual(["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", '-', 'a=1', '']);
  });

  it('is the header alone where there are no rows', () => {
    expect(outcomesCsv([])).toBe('action,email,user_id,role,team_name,api_keys,status,error_reason\n');
    expect(csvLines([])).toBe('');
  });
});

describe('files with secrets', () => {
  const row = { email: 'a@example.com', userId: 'u', role: '', teamName: '' };

  it('can be appended to, and hold their secrets', () => {
    const apiKeys = new Secret('sk-key');
    const invitationUrl = new Secret('https://p.example/?id=inv');
    const rows = [{ ...row, models: null, apiKeys, invitationUrl }];
    const whole = registrationsCsv([...rows, ...rows], { header: true });
    expect(registrationsCsv(rows, { header: true }) + registrationsCsv(rows, { header: false })).toBe(whole);
    expect(read(whole)[1]).toEqual(['a@example.com', '', 'u', '', '', 'sk-key', invitationUrl.reveal()]);
  });

  it('names the models of a user, or all', () => {
    const registration = { ...row, apiKeys: null, invitationUrl: null };
    const rows = [
      { ...registration, models: [] },
      { ...registration, models: ['a', 'b'] },
    ];
    const models = read(registrationsCsv(rows, { header: false })).map((cells) => cells[4]);
    expect(models).toEqual(['All proxy models', 'a;b']);
  });
});
