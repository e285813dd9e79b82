import { type MarkedToken, marked, type Token, type Tokens } from 'marked';

/** What a GFM parser found in a text. */
export interface Parsed {
  readonly tables: readonly Tokens.Table[];
  readonly html: readonly string[];
  readonly links: readonly string[];
  readonly codes: readonly string[];
  /** Text outside code, one string per table cell, paragraph and so on. */
  readonly texts: readonly string[];
  readonly types: ReadonlySet<string>;
}

export function parse(markdown: string): Parsed {
  const found = { tables: [], html: [], links: [], codes: [], texts: [], types: new Set<string>() } as {
    tables: Tokens.Table[];
    html: string[];
    links: string[];
    codes: string[];
    texts: string[];
    types: Set<string>;
  };
  const visit = (token: MarkedToken): void => {
    found.types.add(token.type);
    if (token.type === 'table') {
      found.tables.push(token);
      for (const cell of [...token.header, ...token.rows.flat()]) block(cell.tokens);
    }
    if (token.type === 'html') found.html.push(token.raw.trim());
    if (token.type === 'link') found.links.push(token.href);
    if (token.type === 'codespan') found.codes.push(token.text);
    if (token.type === 'list') for (const item of token.items) all(item.tokens);
    if ('tokens' in token && token.tokens) block(token.tokens);
  };
  const all = (tokens: readonly Token[]) => {
    for (const token of tokens) visit(token as MarkedToken);
  };
  const block = (tokens: readonly Token[]) => {
    found.texts.push(textOf(tokens));
    all(tokens);
  };
  all(marked.lexer(markdown, { gfm: true }));
  return found;
}

/** Text as a filter over the HTML sees it: code and what stands in it is skipped. */
function textOf(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      if (token.type === 'codespan') return '\0';
      if ('tokens' in token && token.tokens) return textOf(token.tokens);
      return token.type === 'text' || token.type === 'escape' ? token.raw : '';
    })
    .join('');
}

/** The value that a code span shows. */
export function decoded(shown: string): string {
  return shown.replace(/<U\+([0-9A-F]{4,6})>/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
}
