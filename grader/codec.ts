/**
 * Values as bytes: what crosses the pipe between grader and sandbox. A JSON skeleton, then the raw bytes of all tensors and typed
 * arrays. Bytes from the sandbox are a stranger's: everything is checked before it is used.
 */
import { z } from 'zod';
import {
  bytesPerElement,
  isTensorDtype,
  isTypedArrayName,
  sizeOf,
  tensorArray,
  typedArray,
  type Value,
} from './values.ts';

/** Bytes that are no value. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
}

interface Placed {
  readonly at: number;
  readonly bytes: number;
}

/** What goes into the skeleton: one node a value, the values inside of it still unread where it came from a stranger. */
type Node<Inner = unknown> =
  | ({ readonly k: 't'; readonly dtype: string; readonly shape: readonly number[] } & Placed)
  | ({ readonly k: 'a'; readonly type: string } & Placed)
  | { readonly k: 'n'; readonly v: number | 'NaN' | 'Infinity' | '-Infinity' }
  | { readonly k: 's'; readonly v: string }
  | { readonly k: 'b'; readonly v: boolean }
  | { readonly k: '0' }
  | { readonly k: 'u' }
  | { readonly k: 'l'; readonly v: readonly Inner[] }
  | { readonly k: 'm'; readonly v: readonly (readonly [Inner, Inner])[] }
  | { readonly k: 'r'; readonly v: readonly (readonly [string, Inner])[] };

/**
 * The longest skeleton, in bytes, and the most nodes in it: more than any value within the limits of `readValue` takes. What is
 * larger was made to cost the grader time, and while it decodes, nobody else is graded.
 */
const MAX_SKELETON = 8 * 1024 * 1024;
const MAX_NODES = 250_000;

const natural = z.number().int().nonnegative();
const placed = { at: natural, bytes: natural };
const inner = z.unknown();
/** One node alone: those inside of it are read one by one, so that counting them comes first. */
const node: z.ZodType<Node> = z.discriminatedUnion('k', [
  z.object({ k: z.literal('t'), dtype: z.string(), shape: z.array(natural).max(12), ...placed }),
  z.object({ k: z.literal('a'), type: z.string(), ...placed }),
  z.object({ k: z.literal('n'), v: z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]) }),
  z.object({ k: z.literal('s'), v: z.string() }),
  z.object({ k: z.literal('b'), v: z.boolean() }),
  z.object({ k: z.literal('0') }),
  z.object({ k: z.literal('u') }),
  z.object({ k: z.literal('l'), v: z.array(inner) }),
  z.object({ k: z.literal('m'), v: z.array(z.tuple([inner, inner])) }),
  z.object({ k: z.literal('r'), v: z.array(z.tuple([z.string(), inner])) }),
]);

/** [u32 length of the skeleton][skeleton][raw bytes]. @throws CodecError if the value is too large to be read back */
export function encodeValue(value: Value): Buffer {
  const blobs: Buffer[] = [];
  let end = 0;
  const place = (array: ArrayBufferView): Placed => {
    const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    blobs.push(bytes);
    const at = end;
    end += bytes.length;
    return { at, bytes: bytes.length };
  };
  const toNode = (item: Value): Node<Node> => {
    switch (item.kind) {
      case 'tensor':
        return { k: 't', dtype: item.dtype, shape: item.shape, ...place(item.values) };
      case 'typed':
        return { k: 'a', type: item.type, ...place(item.values) };
      case 'number':
        return { k: 'n', v: numberNode(item.value) };
      case 'string':
        return { k: 's', v: item.value };
      case 'boolean':
        return { k: 'b', v: item.value };
      case 'null':
        return { k: '0' };
      case 'undefined':
        return { k: 'u' };
      case 'list':
        return { k: 'l', v: item.items.map(toNode) };
      case 'map':
        return { k: 'm', v: item.entries.map(([key, value]) => [toNode(key), toNode(value)]) };
      case 'record':
        return { k: 'r', v: [...item.entries].map(([key, value]) => [key, toNode(value)]) };
    }
  };
  const skeleton = Buffer.from(JSON.stringify(toNode(value)));
  if (skeleton.length > MAX_SKELETON)
    throw new CodecError(
      'the value is too large: its numbers and texts outside of tensors take more than 8 MiB',
    );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(skeleton.length);
  return Buffer.concat([length, skeleton, ...blobs]);
}

function numberNode(value: number): number | 'NaN' | 'Infinity' | '-Infinity' {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return 'Infinity';
  return value === Number.NEGATIVE_INFINITY ? '-Infinity' : value;
}

/** The value of bytes made by `encodeValue`. @throws CodecError for anything else. */
export function decodeValue(bytes: Buffer): Value {
  if (bytes.length < 4) throw new CodecError('a value is cut short');
  const end = 4 + bytes.readUInt32LE(0);
  if (end > bytes.length) throw new CodecError('the skeleton of a value is cut short');
  if (end > 4 + MAX_SKELETON) throw new CodecError('the skeleton of a value is too large');
  const blob = bytes.subarray(end);
  let skeleton: unknown;
  try {
    skeleton = JSON.parse(bytes.toString('utf8', 4, end));
  } catch {
    // Not the text: it is a stranger's.
    throw new CodecError('the skeleton of a value is malformed');
  }
  let nodes = 0;
  const slice = ({ at, bytes: length }: Placed): Buffer => {
    if (at + length > blob.length) throw new CodecError('the data of a value is cut short');
    return blob.subarray(at, at + length);
  };
  const fromNode = (stranger: unknown): Value => {
    if (++nodes > MAX_NODES) throw new CodecError('a value has too many parts');
    const parsed = node.safeParse(stranger);
    if (!parsed.success) throw new CodecError('the skeleton of a value is malformed');
    const item = parsed.data;
    switch (item.k) {
      case 't': {
        const { dtype, shape } = item;
        if (!isTensorDtype(dtype)) throw new CodecError('a tensor has an unknown dtype');
        if (sizeOf(shape) * bytesPerElement(dtype) !== item.bytes)
          throw new CodecError('a tensor lies about its shape');
        return { kind: 'tensor', dtype, shape, values: tensorArray(dtype, slice(item)) };
      }
      case 'a':
        if (!isTypedArrayName(item.type)) throw new CodecError('an array has an unknown type');
        return { kind: 'typed', type: item.type, values: typedArray(item.type, slice(item)) };
      case 'n':
        return { kind: 'number', value: Number(item.v) };
      case 's':
        return { kind: 'string', value: item.v };
      case 'b':
        return { kind: 'boolean', value: item.v };
      case '0':
        return { kind: 'null' };
      case 'u':
        return { kind: 'undefined' };
      case 'l':
        return { kind: 'list', items: item.v.map(fromNode) };
      case 'm':
        return {
          kind: 'map',
          entries: item.v.map(([key, value]) => [fromNode(key), fromNode(value)] as const),
        };
      case 'r':
        return { kind: 'record', entries: new Map(item.v.map(([key, value]) => [key, fromNode(value)])) };
    }
  };
  return fromNode(skeleton);
}
