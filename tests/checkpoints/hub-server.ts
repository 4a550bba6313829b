/** A hub on this machine: the few addresses that a download uses, and the ways in which it can go wrong. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

export interface LocalHub {
  url: string;
  /** every request, as `GET /path` with its range */
  requests: string[];
  /** cut the next answers with this file after so many bytes */
  cut: Map<string, number>;
  /** files whose bytes differ from what the listing promises */
  corrupt: Set<string>;
  close(): Promise<void>;
}

export async function startHub(id: string, files: ReadonlyMap<string, Uint8Array>): Promise<LocalHub> {
  const requests: string[] = [];
  const cut = new Map<string, number>();
  const corrupt = new Set<string>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://hub');
    requests.push(`${request.method} ${pathname}${request.headers.range ? ` ${request.headers.range}` : ''}`);
    const path = decodeURIComponent(pathname);
    if (path.startsWith(`/api/models/${id}/revision/`)) return json(response, { _id: '1', id, sha: COMMIT });
    if (path === `/api/models/${id}/tree/${COMMIT}`) return json(response, listing(files));
    const name = path.slice(`/${id}/resolve/${COMMIT}/`.length);
    const bytes = path.startsWith(`/${id}/resolve/${COMMIT}/`) ? files.get(name) : undefined;
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
  return { url: `http://127.0.0.1:${port}`, requests, cut, corrupt, close };
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

/** Weights with a SHA-256, as the hub stores large files; the rest with git's id of the blob. */
function listing(files: ReadonlyMap<string, Uint8Array>): unknown[] {
  return [...files].map(([path, bytes]) => {
    const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    const entry = { type: 'file', path, size: bytes.length, oid };
    if (!path.endsWith('.safetensors')) return entry;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { ...entry, oid: '0'.repeat(40), lfs: { oid: sha256, size: bytes.length, pointerSize: 130 } };
  });
}
