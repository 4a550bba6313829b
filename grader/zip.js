/**
 * Zip archives (APPNOTE.TXT 6.3): reading strangers', writing our own. Only stored and deflated entries below 4 GiB are read; nothing is
 * ever extracted to disk, sizes are enforced while inflating, links and paths that climb out are refused.
 */
import { promisify } from 'node:util';
import { crc32, deflateRawSync, inflateRaw } from 'node:zlib';

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
const MAX_ENTRIES = 20_000;
const MAX_ENTRY_BYTES = 32 * 1024 * 1024;
/** The file type bits of a Unix mode, and a symbolic link's. */
const TYPE_MASK = 0o170000;
const LINK = 0o120000;
/** An archive that is damaged or was made to do harm. */
export class ZipError extends Error {
  name = 'ZipError';
}
/** The files of an archive. @throws ZipError if it is no zip, or holds a link or a path that leaves it */
export async function readZip(bytes) {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return entriesOf(file);
  } catch (error) {
    if (error instanceof RangeError) throw new ZipError('the archive is cut short or damaged');
    throw error;
  }
}
function entriesOf(file) {
  const end = file
    .subarray(Math.max(0, file.length - 65_557))
    .lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw new ZipError('it is not a zip archive');
  const record = file.subarray(Math.max(0, file.length - 65_557) + end);
  if (record.readUInt32LE(0) !== END) throw new ZipError('it is not a zip archive');
  const count = record.readUInt16LE(10);
  if (count > MAX_ENTRIES)
    throw new ZipError(`the archive has ${count} entries; at most ${MAX_ENTRIES} are read`);
  let at = record.readUInt32LE(16);
  const entries = [];
  for (let i = 0; i < count; i++) {
    if (file.readUInt32LE(at) !== CENTRAL) throw new ZipError('the archive is cut short or damaged');
    const method = file.readUInt16LE(at + 10);
    const expected = file.readUInt32LE(at + 16);
    const packed = file.readUInt32LE(at + 20);
    const size = file.readUInt32LE(at + 24);
    const [nameLength, extraLength, noteLength] = [28, 30, 32].map((offset) =>
      file.readUInt16LE(at + offset),
    );
    const mode = file.readUInt32LE(at + 38) >>> 16;
    const local = file.readUInt32LE(at + 42);
    const name = file.toString('utf8', at + 46, at + 46 + (nameLength ?? 0));
    at += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (noteLength ?? 0);
    if ((mode & TYPE_MASK) === LINK)
      throw new ZipError('the archive holds a symbolic link; hand in the file itself');
    if (/^(?:[/\\]|[A-Za-z]:)|(?:^|[/\\])\.\.(?:[/\\]|$)|\0/.test(name)) {
      throw new ZipError('the archive holds a path that leads out of it');
    }
    if (name.endsWith('/')) continue;
    entries.push({ name, read: () => inflate(file, { local, packed, size, method, expected }) });
  }
  return entries;
}
const inflateAsync = promisify(inflateRaw);
async function inflate(file, { local, packed, size, method, expected }) {
  if (size > MAX_ENTRY_BYTES)
    throw new ZipError(`an entry is larger than ${MAX_ENTRY_BYTES / 1024 / 1024} MiB`);
  if (file.length < local + 30 || file.readUInt32LE(local) !== LOCAL)
    throw new ZipError('the archive is cut short or damaged');
  const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
  const data = file.subarray(start, start + packed);
  if (method !== STORED && method !== DEFLATED)
    throw new ZipError('an entry is packed in a way that is not read; use an ordinary zip');
  let bytes;
  try {
    // A bomb says a small size and holds much: no more is inflated than it said.
    bytes = method === STORED ? data : await inflateAsync(data, { maxOutputLength: Math.max(1, size) });
  } catch {
    throw new ZipError('an entry is damaged or larger than it says');
  }
  if (bytes.length !== size || crc32(bytes) !== expected)
    throw new ZipError('an entry is damaged or larger than it says');
  return bytes;
}
/** An archive of the files. The same files give the same bytes: all carry the first date a zip can hold. */
export function writeZip(files) {
  const EPOCH_DATE = 0x0021;
  const UNIX_2_0 = 0x0314;
  const UTF8 = 0x0800;
  const body = [];
  const directory = [];
  let offset = 0;
  for (const { name, bytes, executable = false } of files) {
    const packed = deflateRawSync(bytes, { level: 9 });
    const title = Buffer.from(name);
    // The fields that the local header and the directory share: version to dates, then checksum and sizes.
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(UTF8, 2);
    shared.writeUInt16LE(DEFLATED, 4);
    shared.writeUInt16LE(EPOCH_DATE, 8);
    shared.writeUInt32LE(crc32(bytes), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(bytes.length, 18);
    shared.writeUInt16LE(title.length, 22);
    const local = Buffer.alloc(4);
    local.writeUInt32LE(LOCAL);
    body.push(local, shared, title, packed);
    const head = Buffer.alloc(6);
    head.writeUInt32LE(CENTRAL, 0);
    head.writeUInt16LE(UNIX_2_0, 4);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((executable ? 0o100755 : 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(head, shared, tail, title);
    offset += 4 + shared.length + title.length + packed.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...body, ...directory, end]);
}
