import { describe, expect, it } from 'vitest';
import { helpText, parseArguments, withoutEffect } from '../../src/cli/args.ts';
import { COMMANDS, INPUT_NAMES, inputSpec } from '../../src/inputs.ts';

describe('arguments', () => {
  it.each<[string, Record<string, string>]>([
    ['', {}],
    ['add', { command: 'add' }],
    ['add --csv-file a.csv', { command: 'add', 'csv-file': 'a.csv' }],
    ['--csv-file=a.csv add', { command: 'add', 'csv-file': 'a.csv' }],
    ['--csv-file=a=b.csv', { 'csv-file': 'a=b.csv' }],
    ['--csv-file=', { 'csv-file': '' }],
    ['--max-deletes 10%', { 'max-deletes': '10%' }],
    ['list --email-like -x', { command: 'list', 'email-like': '-x' }],
    ['list --email-like=--x', { command: 'list', 'email-like': '--x' }],
    ['--command=list', { command: 'list' }],
    ['--dry-run', { 'dry-run': 'true' }],
    ['--dry-run=false', { 'dry-run': 'false' }],
    ['--dry-run false sync', { 'dry-run': 'false', command: 'sync' }],
    ['--no-add sync', { 'no-add': 'true', command: 'sync' }],
    ['--api-keys=false --invitations true', { 'api-keys': 'false', invitations: 'true' }],
    ['--no-add --no-delete', { 'no-add': 'true', 'no-delete': 'true' }],
    ['--protected-users a --protected-users=b', { 'protected-users': 'a\nb' }],
    ['--encrypt-to age1a --encrypt-to age1b', { 'encrypt-to': 'age1a\nage1b' }],
    ['--extra-headers A:1 --extra-headers B:2', { 'extra-headers': 'A:1\nB:2' }],
    ['--retries 1 --retries 2', { retries: '2' }],
  ])('%s', (line, inputs) => {
    expect(parseArguments(line === '' ? [] : line.split(' '))).toEqual({
      inputs,
      emails: [],
      help: false,
      version: false,
      debug: false,
      yes: false,
      detailedExitCode: false,
    });
  });

  it.each(INPUT_NAMES.filter((name) => name !== 'command'))('--%s is the input of that name', (name) => {
    const command = inputSpec(name).commands[0] ?? '';
    expect(parseArguments([command, `--${name}`, 'true']).inputs).toEqual({ command, [name]: 'true' });
  });

  it.each([
    ['list --help', { help: true }],
    ['list -h', { help: true }],
    ['help list', { help: true }],
    ['list --version', { version: true }],
    ['list --debug', { debug: true }],
    ['add --detailed-exitcode', { detailedExitCode: true }],
    ['add --yes', { yes: true }],
  ])('%s', (line, expected) => {
    const command = line.includes('list') ? 'list' : 'add';
    expect(parseArguments(line.split(' '))).toMatchObject({ inputs: { command }, ...expected });
  });

  it('of onboard may be emails', () => {
    const { inputs, emails } = parseArguments('onboard ann@x.io --retries=1 bob@x.io'.split(' '));
    expect([inputs, emails]).toEqual([{ command: 'onboard', retries: '1' }, ['ann@x.io', 'bob@x.io']]);
  });

  it('that the action alone acts on are taken, and known as such', () => {
    const { inputs } = parseArguments(['sync', '--comment=false', '--no-add', '--encrypt-to=age1a']);
    expect(withoutEffect(inputs)).toEqual(['comment', 'encrypt-to']);
  });
});

describe('wrong arguments', () => {
  it.each([
    ['add delete', 'Unexpected argument `delete`. See --help.'],
    ['add --command=list', 'Unexpected argument `add`. See --help.'],
    ['list sk-0123456789abcdef', 'Unexpected argument `sk-***`. See --help.'],
    ['snyc', 'Input `command` is `snyc`; allowed: sync, add, delete, onboard, list, export. Did you mean `sync`?'],
    ['--csv-file', 'Flag `--csv-file` needs a value.'],
    ['--csv-file --debug', 'Flag `--csv-file` needs a value.'],
    ['--debug=false', 'Flag `--debug` takes no value.'],
    ['--nod-add', 'Unknown flag `--nod-add`. Did you mean `--no-add`? See --help.'],
    ['-csv-file=x.csv', 'Unknown flag `-csv-file`. Did you mean `--csv-file`? See --help.'],
    ['--verison', 'Unknown flag `--verison`. Did you mean `--version`? See --help.'],
    ['--sk-0123456789abcdef=x', 'Unknown flag `--sk-***`.'],
    ['onboard users.csv', '`users.csv` is no email address. `onboard` takes emails as arguments; a file is given with'],
    ['onboard a@x.io --csv-file=b.csv', '`onboard` takes either emails as arguments or --csv-file, not both.'],
    ['list --force', 'Flag `--force` is not taken by `list`, only by `export`.'],
    ['list --yes', 'Flag `--yes` is not taken by `list`, only by `sync`, `add`, `delete`, `onboard`.'],
  ])('%s', (line, message) => {
    expect(() => parseArguments(line.split(' '))).toThrow(message);
  });

  it('of another command are all told at once', () => {
    expect(() => parseArguments(['--force', '--team=x'])).toThrow(
      [
        'Flag `--team` is not taken by `sync`, only by `list`.',
        'Flag `--force` is not taken by `sync`, only by `export`.',
      ].join('\n'),
    );
  });
});

describe('--help', () => {
  const flagsIn = (help: string): string[] => [...help.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name ?? '');
  const own = ['debug', 'help', 'version'];

  it('describes every command, and every flag that means something in a terminal', () => {
    const help = helpText();
    for (const command of COMMANDS) expect(help).toMatch(new RegExp(`^ {2}${command} +[A-Z].*\\.$`, 'm'));
    const named = INPUT_NAMES.filter((name) => name !== 'command' && inputSpec(name).only === undefined);
    expect(flagsIn(help)).toEqual([...named, 'yes', 'detailed-exitcode', ...own]);
    expect(help).not.toMatch(/^ {2}--.*\n(?! {6}[A-Z])/m);
  });

  it.each(COMMANDS)('of %s shows its own flags alone', (command) => {
    const named = INPUT_NAMES.filter((name) => name !== 'command' && inputSpec(name).only === undefined);
    const inputs = named.filter((name) => inputSpec(name).commands.includes(command));
    const shown = flagsIn(helpText(command)).filter((name) => !['yes', 'detailed-exitcode', ...own].includes(name));
    expect(shown).toEqual(inputs);
  });

  it('gives defaults, those of the command where they differ', () => {
    expect(helpText()).toMatch(/--api-keys .*\n.*Default: true; false for onboard\./);
    expect(helpText('onboard')).toMatch(/--api-keys\n.*Default: false\./);
    expect(helpText('add')).toMatch(/--csv-file VALUE\n.*\n? *.*Default: user_addlist\.csv\./);
  });

  it('fits into 100 columns', () => {
    for (const line of helpText().split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });
});
