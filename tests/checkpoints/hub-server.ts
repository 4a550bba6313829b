/** A hub on this machine: the few addresses that a download uses, and the ways in which it can go wrong. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

export interface LocalHub {
  url: string;
  /** every request, as `GET /path` with its range */
  requests: string[];
  /** cut the next answers with this file after so many bytes */
  cut: Map<string, number>;
  /** files whose bytes differ from what the listing promises */
  corrupt: Set<string>;
  /** files of which half comes, and then nothing, with the connection held open */
  stalled: Set<string>;
  close(): Promise<void>;
}

/** A hub with one repository: a model's, or a data set's of the given commit. */
export async function startHub(
  id: string,
  files: ReadonlyMap<string, Uint8Array>,
  { type = 'model', commit = COMMIT }: { type?: 'model' | 'dataset'; commit?: string } = {},
): Promise<LocalHub> {
  const resolve = `${type === 'model' ? '' : '/datasets'}/${id}/resolve/${commit}/`;
  const tree = `/api/${type}s/${id}/tree/${commit}`;
  const requests: string[] = [];
  const cut = new Map<string, number>();
  const corrupt = new Set<string>();
  const stalled = new Set<string>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://hub');
    requests.push(`${request.method} ${pathname}${request.headers.range ? ` ${request.headers.range}` : ''}`);
    const path = decodeURIComponent(pathname);
    if (path.startsWith(`/api/${type}s/${id}/revision/`))
      return json(response, { _id: '1', id, sha: commit });
    if (path === tree || path.startsWith(`${tree}/`)) {
      const folder = path.slice(tree.length + 1);
      return json(
        response,
        listing(files).filter((entry) => dirname(entry.path) === (folder || '.')),
      );
    }
    const name = path.slice(resolve.length);
    const bytes = path.startsWith(resolve) ? files.get(name) : undefined;
    if (bytes === undefined) return json(response, { error: 'not found' }, 404);
    send(request, response, corrupt.has(name) ? bytes.map((byte) => byte ^ 1) : bytes, name);
  });

  function send(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array, name: string): void {
    const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from);
    const end = to === '' ? bytes.length : Math.min(bytes.length, Number(to) + 1);
    response.writeHead(request.headers.range ? 206 : 200, {
      etag: `"${name}"`,
      'content-length': end - start,
      'content-range': `bytes ${start}-${end - 1}/${bytes.length}`,
    });
    if (stalled.has(name) && end - start > 1) {
      response.write(bytes.subarray(start, start + Math.floor((end - start) / 2)));
      return;
    }
    const limit = cut.get(name);
    if (limit !== undefined && end - start > limit) {
      cut.delete(name);
      response.write(bytes.subarray(start, start + limit), () => setTimeout(() => response.destroy(), 50));
      return;
    }
    response.end(bytes.subarray(start, end));
  }

  const port = await listen(server);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, requests, cut, corrupt, stalled, close };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** Weights and tables with a SHA-256, as the hub stores large files; the rest with git's id of the blob. */
function listing(files: ReadonlyMap<string, Uint8Array>): { path: string }[] {
  return [...files].map(([path, bytes]) => {
    const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    const entry = { type: 'file', path, size: bytes.length, oid };
    if (!/\.(safetensors|parquet)$/.test(path)) return entry;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { ...entry, oid: '0'.repeat(40), lfs: { oid: sha256, size: bytes.length, pointerSize: 130 } };
  });
}
