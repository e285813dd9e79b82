import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import {
  composeMail,
  DEFAULT_SUBJECT,
  DEFAULT_TEMPLATE,
  isProblem,
  readSubject,
  readTemplate,
  type Template,
} from '../../src/mail/template.ts';

const VALUES = {
  email: 'ann@x.io',
  link: new Secret('https://llm.x.io/ui/?invitation_id=inv-1'),
  invitationId: new Secret('inv-1'),
  expiresAt: '2026-08-02T10:11:12.345000Z',
  teamName: 'red;blue',
  proxyUrl: 'https://llm.x.io',
};

/** The text of a mail by this template. */
function textBy(template: string, over: Partial<typeof VALUES> = {}): string {
  return composeMail(templateOf(template), { text: 'x' }, { ...VALUES, ...over }).text.reveal();
}

function templateOf(text: string): Template {
  const read = readTemplate(text);
  if (isProblem(read)) throw new Error(read.message);
  return read;
}

describe('a template', () => {
  it('of ours says who, where and until when', () => {
    const read = readTemplate(null);
    expect(isProblem(read)).toBe(false);
    expect(templateOf(DEFAULT_TEMPLATE)).toEqual(read);
    const text = textBy(DEFAULT_TEMPLATE);
    expect(text).toContain('Sign-in name: ann@x.io\n');
    expect(text).toContain('\n  https://llm.x.io/ui/?invitation_id=inv-1\n');
    expect(text).toContain('until 2 August 2026, 10:11 UTC.');
    expect(text).not.toMatch(/[{}]/);
  });

  it('of the repository may name everything, with blanks inside the braces, lines ended in any way', () => {
    const written = '\uFEFFDear {{ email }},\r\n\r\n{{link}}\r\n{{team_name}} {{proxy_url}} {{expires_at}}\r\n\r\n';
    expect(textBy(written)).toBe(
      'Dear ann@x.io,\n\nhttps://llm.x.io/ui/?invitation_id=inv-1\nred;blue https://llm.x.io 2 August 2026, 10:11 UTC\n',
    );
  });

  it('puts values in as they are: no placeholder, line or control character in them takes effect', () => {
    expect(textBy('{{team_name}}: {{link}}', { teamName: '{{link}} $& a\r\nb\tc\u2028d' })).toBe(
      '{{link}} $& a b c d: https://llm.x.io/ui/?invitation_id=inv-1\n',
    );
  });

  it.each([
    ['2026-08-02T10:11:12', '2 August 2026, 10:11 UTC'],
    ['2026-12-31T23:59:00+00:00', '31 December 2026, 23:59 UTC'],
    ['2026-08-02T10:11:12+02:00', '2026-08-02T10:11:12+02:00'],
    ['2026-13-02T10:11:12Z', '2026-13-02T10:11:12Z'],
    ['soon', 'soon'],
  ])('shows the time %s as %s', (expiresAt, shown) => {
    expect(textBy('{{expires_at}} {{link}}', { expiresAt })).toContain(shown);
  });

  it.each([
    ['', null, 'The template has no `{{link}}`: write it once, with blanks or line ends around it.'],
    ['a\u200B{{link}}', 1, 'U+200B stands next to `{{link}}`'],
    ['Hello {link}', null, 'The template has no `{{link}}`'],
    ['a\nb {{link}}\n\n{{link}}', 4, '`{{link}}` stands here a second time'],
    ['{{link}} {{ link }}', 1, '`{{link}}` stands here a second time'],
    ['a\n{{link}}.', 2, '`.` stands next to `{{link}}`'],
    ['a\n<{{link}}>', 2, '`<` stands next to `{{link}}`'],
    [
      '{{link}}\n{{api_key}}',
      2,
      '`{{api_key}}` is not a placeholder. Allowed: `{{link}}`, `{{email}}`, `{{expires_at}}`, `{{team_name}}`, `{{proxy_url}}`.',
    ],
    ['{{link}}\r\rDear {{Email}}', 3, '`{{Email}}` is not a placeholder. Did you mean `email`?'],
    ['{{link}}\n{{teamname}}', 2, 'Did you mean `team_name`?'],
    ['{{link}}\n{{email', 2, '`{{` or `}}` without its counterpart.'],
    ['{{link}}\nemail}}', 2, '`{{` or `}}` without its counterpart.'],
    ['<p>Hello</p>\n{{link}}', 1, 'This looks like HTML, and mails are plain text'],
    ['{{link}}\n<a href="x">', 2, 'This looks like HTML'],
  ])('%j is refused, with the line', (text, line, message) => {
    const read = readTemplate(text);
    expect(read).toEqual({ line, column: null, message: expect.stringContaining(message) });
  });
});

describe('a subject', () => {
  it('has a default, and may name what is no secret', () => {
    expect(readSubject(null)).toEqual({ text: DEFAULT_SUBJECT });
    expect(readSubject(' ')).toEqual({ text: DEFAULT_SUBJECT });
    const subject = readSubject(' Account for {{email}} ') as Template;
    expect(composeMail({ text: '{{link}}' }, subject, VALUES).subject).toBe('Account for ann@x.io');
  });

  it.each([
    ['a\nBcc: eve@x.io', 'The subject must be one line'],
    ['a\u0000', 'The subject must be one line'],
    [
      '{{link}}',
      '`{{link}}` is not a placeholder. Allowed: `{{email}}`, `{{expires_at}}`, `{{team_name}}`, `{{proxy_url}}`.',
    ],
  ])('%j is refused', (text, message) => {
    expect(readSubject(text)).toEqual({ line: null, column: null, message: expect.stringContaining(message) });
  });
});

it('a mail shows neither link nor text when it is printed', () => {
  const mail = composeMail({ text: '{{link}}' }, { text: 'Hello' }, VALUES);
  expect(`${JSON.stringify(mail)}${mail.text}`).not.toContain('inv-1');
  expect(mail).toMatchObject({ to: 'ann@x.io', subject: 'Hello', secrets: [VALUES.link, VALUES.invitationId] });
});
