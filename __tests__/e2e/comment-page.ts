import { readFileSync } from 'node:fs';
import { Marked } from 'marked';

/** Light, or dark where the reader's browser asks for that. */
export const STYLE = readFileSync(new URL('../../scripts/images.css', import.meta.url), 'utf8');

/** GitHub's `> [!WARNING]`, which Markdown itself does not know. */
const ALERT = /^<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*(?:<br>)?\s*/;
const markdown = new Marked({
  gfm: true,
  renderer: {
    blockquote({ tokens }) {
      const body = this.parser.parse(tokens);
      const kind = ALERT.exec(body)?.[1];
      if (kind === undefined) return `<blockquote>${body}</blockquote>`;
      const title = kind.slice(0, 1) + kind.slice(1).toLowerCase();
      return `<blockquote class="alert ${title.toLowerCase()}"><b>${title}</b>${body.replace(ALERT, '<p>')}</blockquote>`;
    },
  },
});

/** A comment of the action, about as GitHub shows it. */
export function commentHtml(text: string): string {
  return `<div class="comment"><header><strong>github-actions</strong><span>bot</span>commented</header>
    <div class="markdown">${markdown.parse(text)}</div></div>`;
}
