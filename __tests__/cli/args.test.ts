import { describe, expect, it } from 'vitest';
import { helpText, parseArguments } from '../../src/cli/args.ts';
import { BOOLEAN_INPUTS, COMMANDS, INPUT_NAMES } from '../../src/inputs.ts';

describe('arguments', () => {
  it.each<[string, Record<string, string>]>([
    ['', {}],
    ['add', { command: 'add' }],
    ['add --csv-file a.csv', { command: 'add', 'csv-file': 'a.csv' }],
    ['--csv-file=a.csv add', { command: 'add', 'csv-file': 'a.csv' }],
    ['-csv-file=a=b.csv', { 'csv-file': 'a=b.csv' }],
    ['--csv-file=', { 'csv-file': '' }],
    ['--max-deletes 10%', { 'max-deletes': '10%' }],
    ['--email-like -x', { 'email-like': '-x' }],
    ['--dry-run', { 'dry-run': 'true' }],
    ['--dry-run=false', { 'dry-run': 'false' }],
    ['--dry-run false sync', { 'dry-run': 'false', command: 'sync' }],
    ['--no-add delete', { 'no-add': 'true', command: 'delete' }],
    ['--api-keys=false --invitations true', { 'api-keys': 'false', invitations: 'true' }],
    ['--no-add --no-delete', { 'no-add': 'true', 'no-delete': 'true' }],
    ['--protected-users a --protected-users=b', { 'protected-users': 'a\nb' }],
    ['--encrypt-to age1a --encrypt-to age1b', { 'encrypt-to': 'age1a\nage1b' }],
    ['--retries 1 --retries 2', { retries: '2' }],
  ])('%s', (line, inputs) => {
    expect(parseArguments(line === '' ? [] : line.split(' '))).toEqual({
      inputs,
      help: false,
      version: false,
      debug: false,
      detailedExitCode: false,
    });
  });

  it.each(INPUT_NAMES.filter((name) => name !== 'command'))('--%s is the input of that name', (name) => {
    expect(parseArguments([`--${name}`, 'true']).inputs).toEqual({ [name]: 'true' });
  });

  it.each([
    ['--help', { help: true }],
    ['-h', { help: true }],
    ['--version', { version: true }],
    ['--debug', { debug: true }],
    ['--detailed-exitcode', { detailedExitCode: true }],
  ])('%s', (flag, expected) => {
    expect(parseArguments(['list', flag])).toMatchObject({ inputs: { command: 'list' }, ...expected });
  });
});

describe('wrong arguments', () => {
  it.each([
    ['add delete', 'Unexpected argument `delete`. See --help.'],
    ['list sk-0123456789abcdef', 'Unexpected argument `sk-***`. See --help.'],
    ['--csv-file', 'Flag `--csv-file` needs a value.'],
    ['--csv-file --debug', 'Flag `--csv-file` needs a value.'],
    ['--nod-add', 'Unknown flag `--nod-add`. Did you mean `--no-add`? See --help.'],
    ['--verison', 'Unknown flag `--verison`. Did you mean `--version`? See --help.'],
  ])('%s', (line, message) => {
    expect(() => parseArguments(line.split(' '))).toThrow(message);
  });
});

describe('--help', () => {
  const help = helpText();

  it('names every command', () => {
    expect(help).toContain(`Commands: ${COMMANDS.join(', ')} (sync if none is given).`);
  });

  it('shows switches without a value, and nothing that means nothing in a terminal', () => {
    const flags = [...help.matchAll(/^ {2}--([a-z-]+)( VALUE)?$/gm)];
    const names = flags.map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['csv-file', 'dry-run', 'protected-users', 'no-add']));
    for (const absent of ['command', 'comment', 'github-token', 'artifacts']) expect(names).not.toContain(absent);
    for (const [, name, value] of flags) {
      const isSwitch = name === 'dry-run' || BOOLEAN_INPUTS.some((input) => input === name);
      expect([name, value]).toEqual([name, isSwitch ? undefined : ' VALUE']);
    }
  });
});
