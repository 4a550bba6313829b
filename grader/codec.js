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
} from './values.js';
/** Bytes that are no value. */
export class CodecError extends Error {
  name = 'CodecError';
}
const natural = z.number().int().nonnegative();
const placed = { at: natural, bytes: natural };
const node = z.lazy(() =>
  z.discriminatedUnion('k', [
    z.object({ k: z.literal('t'), dtype: z.string(), shape: z.array(natural).max(12), ...placed }),
    z.object({ k: z.literal('a'), type: z.string(), ...placed }),
    z.object({ k: z.literal('n'), v: z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]) }),
    z.object({ k: z.literal('s'), v: z.string() }),
    z.object({ k: z.literal('b'), v: z.boolean() }),
    z.object({ k: z.literal('0') }),
    z.object({ k: z.literal('u') }),
    z.object({ k: z.literal('l'), v: z.array(node) }),
    z.object({ k: z.literal('m'), v: z.array(z.tuple([node, node])) }),
    z.object({ k: z.literal('r'), v: z.array(z.tuple([z.string(), node])) }),
  ]),
);
/** [u32 length of the skeleton][skeleton][raw bytes] */
export function encodeValue(value) {
  const blobs = [];
  let end = 0;
  const place = (array) => {
    const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    blobs.push(bytes);
    const at = end;
    end += bytes.length;
    return { at, bytes: bytes.length };
  };
  const toNode = (item) => {
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
        return { k: 'm', v: item.entries.map(([key, inner]) => [toNode(key), toNode(inner)]) };
      case 'record':
        return { k: 'r', v: [...item.entries].map(([key, inner]) => [key, toNode(inner)]) };
    }
  };
  const skeleton = Buffer.from(JSON.stringify(toNode(value)));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(skeleton.length);
  return Buffer.concat([length, skeleton, ...blobs]);
}
function numberNode(value) {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return 'Infinity';
  return value === Number.NEGATIVE_INFINITY ? '-Infinity' : value;
}
/** The value of bytes made by `encodeValue`. @throws CodecError for anything else. */
export function decodeValue(bytes) {
  if (bytes.length < 4) throw new CodecError('a value is cut short');
  const end = 4 + bytes.readUInt32LE(0);
  if (end > bytes.length) throw new CodecError('the skeleton of a value is cut short');
  const blob = bytes.subarray(end);
  let parsed;
  try {
    parsed = node.parse(JSON.parse(bytes.toString('utf8', 4, end)));
  } catch {
    // Not the text: it is a stranger's. A skeleton nested too deeply overflows the stack and ends here too.
    throw new CodecError('the skeleton of a value is malformed');
  }
  const slice = ({ at, bytes: length }) => {
    if (at + length > blob.length) throw new CodecError('the data of a value is cut short');
    return blob.subarray(at, at + length);
  };
  const fromNode = (item) => {
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
          entries: item.v.map(([key, inner]) => [fromNode(key), fromNode(inner)]),
        };
      case 'r':
        return { kind: 'record', entries: new Map(item.v.map(([key, inner]) => [key, fromNode(inner)])) };
    }
  };
  return fromNode(parsed);
}
