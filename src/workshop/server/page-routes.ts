/**
 * The pages: one HTML frame each, their TypeScript with its types taken out, and the packages they use. No bundler: browsers load
 * modules, and an import map says where packages are.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fixed from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { stripTypes } from '../../kernel/engine/erase.ts';

const PAGES = fileURLToPath(new URL('../pages', import.meta.url));
const require = createRequire(import.meta.url);

/** Where a browser finds each package: a path below /vendor, and the folder behind it. */
const VENDOR = [
  {
    name: 'preact',
    folder: join(dirname(require.resolve('preact/package.json')), 'dist'),
    entry: 'preact.mjs',
  },
  {
    name: 'preact/hooks',
    folder: join(dirname(require.resolve('preact/package.json')), 'hooks/dist'),
    entry: 'hooks.mjs',
  },
  { name: 'htm', folder: dirname(require.resolve('htm')), entry: 'htm.module.js' },
  { name: 'htm/preact', folder: dirname(require.resolve('htm/preact')), entry: 'index.module.js' },
  { name: '@preact/signals', folder: dirname(require.resolve('@preact/signals')), entry: 'signals.mjs' },
  {
    name: '@preact/signals-core',
    folder: dirname(require.resolve('@preact/signals-core')),
    entry: 'signals-core.mjs',
  },
] as const;
const WEB_AWESOME = join(dirname(require.resolve('@awesome.me/webawesome/package.json')), 'dist-cdn');

const FRAMES = {
  '/': { title: 'LLM Lab workshop', script: 'join.ts' },
  '/join': { title: 'Join the workshop', script: 'join.ts' },
  '/login': { title: 'Log in', script: 'login.ts' },
  '/dashboard': { title: 'Workshop', script: 'dashboard.ts' },
  '/me': { title: 'Your progress', script: 'me.ts' },
} as const;

const slug = (name: string): string => name.replace(/[@/]+/g, '-').replace(/^-/, '');

const IMPORT_MAP = JSON.stringify({
  imports: Object.fromEntries([
    ...VENDOR.map(({ name, entry }) => [name, `/vendor/${slug(name)}/${entry}`]),
    ['@awesome.me/webawesome/dist/', '/vendor/webawesome/'],
  ]),
});
const MAP_HASH = createHash('sha256').update(IMPORT_MAP).digest('base64');

/** Scripts of this server alone, and this one import map; nothing is loaded from anywhere else. */
const POLICY = [
  "default-src 'none'",
  `script-src 'self' 'sha256-${MAP_HASH}'`,
  // The components set style attributes on their own elements.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  // The components fetch their icons from data: addresses.
  "connect-src 'self' data:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

export async function pageRoutes(app: FastifyInstance): Promise<void> {
  for (const [path, frame] of Object.entries(FRAMES)) {
    app.get(path, (_request, reply) => sendFrame(reply, frame));
  }
  const scripts = await loadScripts();
  const style = await readFile(join(PAGES, 'style.css'), 'utf8');
  app.get<{ Params: { file: string } }>('/assets/:file', (request, reply) => {
    const { file } = request.params;
    reply.header('cache-control', 'no-cache');
    if (file === 'style.css') return reply.type('text/css; charset=utf-8').send(style);
    const script = scripts.get(file);
    if (script === undefined) return reply.callNotFound();
    return reply.type('text/javascript; charset=utf-8').send(script);
  });
  const options = { decorateReply: false, index: false, maxAge: '1h' } as const;
  await app.register(fixed, { ...options, root: WEB_AWESOME, prefix: '/vendor/webawesome/' });
  for (const { name, folder } of VENDOR) {
    await app.register(fixed, { ...options, root: folder, prefix: `/vendor/${slug(name)}/` });
  }
}

async function loadScripts(): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(PAGES)).filter((name) => name.endsWith('.ts'));
  const texts = await Promise.all(names.map((name) => readFile(join(PAGES, name), 'utf8')));
  return new Map(names.map((name, i) => [name, stripTypes(texts[i] ?? '').code]));
}

function sendFrame(reply: FastifyReply, { title, script }: { title: string; script: string }): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', POLICY)
    .header('cache-control', 'no-cache')
    .send(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/vendor/webawesome/styles/webawesome.css">
<link rel="stylesheet" href="/assets/style.css">
<script type="importmap">${IMPORT_MAP}</script>
<script type="module" src="/assets/${script}"></script>
</head>
<body><div id="app"></div><noscript>This page needs JavaScript.</noscript></body>
</html>
`);
}
