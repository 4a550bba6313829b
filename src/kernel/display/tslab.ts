/** The module that notebooks import as `tslab`: the interface of tslab 1.0, on this kernel. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publish } from './publish.ts';

/** Shows rich contents. A display of `newDisplay` shows one thing at a time and replaces it in place. */
export interface Display {
  javascript(s: string): void;
  html(s: string): void;
  markdown(s: string): void;
  latex(s: string): void;
  svg(s: string): void;
  png(b: Uint8Array): void;
  jpeg(b: Uint8Array): void;
  gif(b: Uint8Array): void;
  pdf(b: Uint8Array): void;
  text(s: string): void;
  raw(contentType: string, b: string | Uint8Array): void;
}

function createDisplay(displayId?: string): Display {
  let isShown = false;
  const raw = (contentType: string, content: string | Uint8Array) => {
    const data = typeof content === 'string' ? content : Buffer.from(content).toString('base64');
    publish({ [contentType]: data }, displayId === undefined ? {} : { displayId, update: isShown });
    isShown = true;
  };
  return {
    javascript: (s) => raw('text/javascript', s),
    html: (s) => raw('text/html', s),
    markdown: (s) => raw('text/markdown', s),
    latex: (s) => raw('text/latex', s),
    svg: (s) => raw('image/svg+xml', s),
    png: (b) => raw('image/png', b),
    jpeg: (b) => raw('image/jpeg', b),
    gif: (b) => raw('image/gif', b),
    pdf: (b) => raw('application/pdf', b),
    text: (s) => raw('text/plain', s),
    raw,
  };
}

/** Utility functions to display rich contents in a notebook. */
export const display: Display = createDisplay();

/** A display whose first use makes an output and whose later uses replace it. */
export function newDisplay(): Display {
  return createDisplay(randomUUID());
}

function versionOf(packageFile: string): string {
  try {
    return JSON.parse(readFileSync(packageFile, 'utf8')).version;
  } catch {
    return 'unknown';
  }
}

const root = join(import.meta.dirname, '..', '..', '..');

/** The versions of this kernel (as tslab's), of TypeScript and of Node. */
export const versions = {
  tslab: versionOf(join(root, 'package.json')),
  typescript: versionOf(join(root, 'node_modules', 'typescript6', 'package.json')),
  node: process.version,
};
