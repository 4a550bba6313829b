import { escapeHtml } from './html.ts';
import type { MimeBundle } from './publish.ts';

const LONG_LINES = 60;
const LONG_CHARACTERS = 12_000;
const HEAD_LINES = 20;
const HEAD_CHARACTERS = 3000;

/** Whether a text would fill the screen. */
export function isLong(text: string): boolean {
  return text.length > LONG_CHARACTERS || text.split('\n').length > LONG_LINES;
}

/** The beginning of a long text, and the rest behind a line to click. Nothing is left out. */
export function foldedDisplay(text: string): MimeBundle {
  const lines = text.split('\n');
  let head = lines.slice(0, HEAD_LINES).join('\n');
  if (head.length > HEAD_CHARACTERS) head = head.slice(0, HEAD_CHARACTERS);
  const rest = text.slice(head.length).replace(/^\n/, '');
  const count = rest.split('\n').length;
  const size = count > 1 ? `${count} more lines` : `${rest.length} more characters`;
  const html =
    `<pre style="margin:0">${escapeHtml(head)}</pre>` +
    `<details><summary style="cursor:pointer">${size}</summary>` +
    `<pre style="margin:0">${escapeHtml(rest)}</pre></details>`;
  return { 'text/html': html, 'text/plain': text };
}
