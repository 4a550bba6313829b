/**
 * Reading safetensors files. The format: eight bytes with the header's length (little-endian), the header (JSON: for
 * every tensor its type, shape and place), and the numbers. Everything the header claims is checked against the file
 * before a single number is read, and reads stay inside the range that the checked header gives.
 */
import { open, stat } from 'node:fs/promises';
import { z } from 'zod';
import { InputError, messageOf } from '../errors.ts';
import { ELEMENT_TYPES, type Values } from './dtypes.ts';
import { decodeUtf8, parseJsonObject, parseWith } from './json.ts';

/** Where one tensor lies in a file. */
export interface TensorEntry {
  dtype: string;
  shape: readonly number[];
  /** bytes from the start of the file */
  begin: number;
  end: number;
}

export interface SafetensorsFile {
  path: string;
  metadata: ReadonlyMap<string, string>;
  entries: ReadonlyMap<string, TensorEntry>;
}

export interface TensorData {
  shape: readonly number[];
  values: Values;
}

/** The same limit as the reference implementation's: no honest header is larger, and a lying one would take the memory. */
const LARGEST_HEADER = 100_000_000;
/** A tensor of 2 GiB and more could not be one typed array on every backend. */
const LARGEST_TENSOR = 2 ** 31;

const wholeNumber = z.int('expected a whole number').nonnegative('expected a number that is not negative');
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(wholeNumber),
  data_offsets: z.tuple([wholeNumber, wholeNumber]),
});
const metadataSchema = z.record(z.string(), z.string('expected text'));

/**
 * Opens a file: reads and checks its header. The file is not kept open.
 *
 * @throws InputError if it cannot be read, or if anything in the header does not agree with the format or the file.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  let size: number;
  try {
    const info = await stat(path);
    if (!info.isFile()) throw new InputError(`${path}: not a file`);
    size = info.size;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: cannot be read (${messageOf(error)})`);
  }
  if (size < 8) throw new InputError(`${path}: ${size} bytes are too few for a safetensors file`);
  const length = new DataView(await readRange(path, 0, 8)).getBigUint64(0, true);
  if (length > LARGEST_HEADER) {
    throw new InputError(
      `${path}: the header claims ${length} bytes, more than the ${LARGEST_HEADER} allowed`,
    );
  }
  const start = 8 + Number(length);
  if (start > size) {
    throw new InputError(
      `${path}: truncated: the header claims ${length} bytes, the file has ${size - 8} left`,
    );
  }
  const text = decodeUtf8(new Uint8Array(await readRange(path, 8, start)), `${path} (header)`);
  return { path, ...readHeader(text, path, start, size) };
}

function readHeader(text: string, path: string, start: number, size: number): Omit<SafetensorsFile, 'path'> {
  const header = parseJsonObject(text, `${path} (header)`);
  const entries = new Map<string, TensorEntry>();
  let metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = new Map(Object.entries(parseWith(metadataSchema, value, `${path}: __metadata__`)));
    } else {
      entries.set(name, readEntry(value, `${path}: tensor ${JSON.stringify(name)}`, start, size));
    }
  }
  checkLayout(entries, path, start, size);
  return { metadata, entries };
}

function readEntry(value: unknown, source: string, start: number, size: number): TensorEntry {
  const { dtype, shape, data_offsets } = parseWith(entrySchema, value, source);
  const [from, to] = data_offsets;
  const element = ELEMENT_TYPES.get(dtype);
  if (element === undefined) throw new InputError(`${source}: unknown type ${JSON.stringify(dtype)}`);
  const expected = shape.reduce((product, side) => product * side, element.size);
  if (to - from !== expected) {
    throw new InputError(
      `${source}: ${dtype} of shape [${shape}] takes ${expected} bytes, the header gives it ${to - from}`,
    );
  }
  if (start + to > size) {
    throw new InputError(`${source}: truncated: it ends at byte ${start + to}, the file at ${size}`);
  }
  return { dtype, shape, begin: start + from, end: start + to };
}

/** The numbers of all tensors must fill the rest of the file, without holes and without sharing a byte. */
function checkLayout(
  entries: ReadonlyMap<string, TensorEntry>,
  path: string,
  start: number,
  size: number,
): void {
  const inOrder = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let position = start;
  for (const [name, { begin, end }] of inOrder) {
    if (begin !== position) {
      const what = begin < position ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw new InputError(
        `${path}: tensor ${JSON.stringify(name)} ${what} (byte ${begin}, expected ${position})`,
      );
    }
    position = end;
  }
  if (position !== size) {
    throw new InputError(`${path}: ${size - position} bytes at the end belong to no tensor`);
  }
}

/**
 * Reads one tensor, as float32 or int32.
 *
 * @throws InputError if the file has no such tensor, its type cannot be computed with, or the file has changed.
 */
export async function readTensor(file: SafetensorsFile, name: string): Promise<TensorData> {
  const entry = file.entries.get(name);
  const source = `${file.path}: tensor ${JSON.stringify(name)}`;
  if (entry === undefined) throw new InputError(`${source} is missing`);
  const decode = ELEMENT_TYPES.get(entry.dtype)?.decode;
  if (decode === undefined) throw new InputError(`${source}: numbers of type ${entry.dtype} cannot be read`);
  if (entry.end - entry.begin > LARGEST_TENSOR)
    throw new InputError(`${source}: larger than ${LARGEST_TENSOR} bytes`);
  const bytes = await readRange(file.path, entry.begin, entry.end);
  try {
    return { shape: entry.shape, values: decode(bytes) };
  } catch (error) {
    throw new InputError(`${source}: ${messageOf(error)}`);
  }
}

async function readRange(path: string, begin: number, end: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(end - begin);
  const handle = await open(path, 'r');
  try {
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await handle.read(
        bytes,
        done,
        Math.min(bytes.length - done, 1 << 30),
        begin + done,
      );
      if (bytesRead === 0)
        throw new InputError(`${path}: truncated at byte ${begin + done} while it was being read`);
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return bytes.buffer;
}
