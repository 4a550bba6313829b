/** One file from a hub: resumed where an earlier attempt stopped, and kept only if its checksum is right. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { InputError } from '../errors.ts';

/** A file as the hub lists it. Large files have a SHA-256 (`lfs`), small ones the id that git gives them. */
export interface HubFile {
  path: string;
  size: number;
  oid?: string | undefined;
  lfs?: { oid: string } | undefined;
}

/** Opens the file's bytes from a position on. */
export type OpenRemote = (file: HubFile, start: number) => Promise<ReadableStream<Uint8Array>>;

async function sizeOf(path: string): Promise<number> {
  const info = await stat(path).catch(() => undefined);
  return info?.size ?? 0;
}

/**
 * Brings a file to `target`. What has arrived so far lies in `target.part`; `target` appears when it is complete and right.
 *
 * @param onBytes called with how many bytes of the file are here
 * @throws InputError if the checksum is wrong; whatever the connection throws otherwise, and the part stays for next time.
 */
export async function fetchFile(
  file: HubFile,
  target: string,
  openRemote: OpenRemote,
  onBytes: (bytes: number) => void,
): Promise<void> {
  if ((await sizeOf(target)) === file.size && (await isRight(file, target))) return onBytes(file.size);
  const part = `${target}.part`;
  if ((await sizeOf(part)) > file.size) await rm(part);
  const resumed = (await sizeOf(part)) > 0;
  await append(file, part, openRemote, onBytes);
  if (!(await isRight(file, part))) {
    await rm(part);
    // The first piece may be of an older version of the file: one more try, from the start.
    if (resumed) return fetchFile(file, target, openRemote, onBytes);
    throw new InputError(`${file.path}: the checksum of the download is wrong, try again`);
  }
  await rename(part, target);
}

async function append(
  file: HubFile,
  part: string,
  openRemote: OpenRemote,
  onBytes: (bytes: number) => void,
): Promise<void> {
  let here = await sizeOf(part);
  onBytes(here);
  if (here === file.size && here > 0) return;
  const handle = await open(part, 'a');
  try {
    if (file.size > 0) {
      for await (const bytes of await openRemote(file, here)) {
        await handle.writeFile(bytes);
        here += bytes.length;
        if (here > file.size)
          throw new InputError(`${file.path}: the hub sends more than the ${file.size} bytes it lists`);
        onBytes(here);
      }
    }
  } finally {
    await handle.close();
  }
  if (here < file.size)
    throw new Error(`${file.path}: the connection ended after ${here} of ${file.size} bytes`);
}

/** Whether a file has the hub's checksum: SHA-256 of its bytes, or git's SHA-1 of a blob with them. */
async function isRight({ size, oid, lfs }: HubFile, path: string): Promise<boolean> {
  if (lfs === undefined && oid === undefined) return (await sizeOf(path)) === size;
  const hash = createHash(lfs ? 'sha256' : 'sha1');
  if (lfs === undefined) hash.update(`blob ${size}\0`);
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  return hash.digest('hex') === (lfs?.oid ?? oid);
}
