/**
 * The element types of safetensors files and their way into float32 and int32, the two types that models compute with.
 */

/** Numbers of a tensor as models use them. */
export type Values = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

export interface ElementType {
  /** bytes of one element */
  size: number;
  kind: 'float' | 'integer';
  /** turns the raw little-endian bytes into numbers; absent where a type can be named but not computed with */
  decode?: (bytes: ArrayBuffer) => Values;
}

/**
 * Every type the format knows (safetensors 0.6, `tensor.rs`). Types without `decode` keep their size here, so that
 * a file that holds them beside others is still read correctly.
 */
export const ELEMENT_TYPES: ReadonlyMap<string, ElementType> = new Map<string, ElementType>([
  ['F64', { size: 8, kind: 'float', decode: (bytes) => Float32Array.from(new Float64Array(bytes)) }],
  ['F32', { size: 4, kind: 'float', decode: (bytes) => new Float32Array(bytes) }],
  ['F16', { size: 2, kind: 'float', decode: decodeHalf }],
  ['BF16', { size: 2, kind: 'float', decode: decodeBrain }],
  ['F8_E4M3', { size: 1, kind: 'float' }],
  ['F8_E5M2', { size: 1, kind: 'float' }],
  ['F8_E8M0', { size: 1, kind: 'float' }],
  ['C64', { size: 8, kind: 'float' }],
  ['I64', { size: 8, kind: 'integer', decode: (bytes) => narrow(new BigInt64Array(bytes)) }],
  ['U64', { size: 8, kind: 'integer', decode: (bytes) => narrow(new BigUint64Array(bytes)) }],
  ['I32', { size: 4, kind: 'integer', decode: (bytes) => new Int32Array(bytes) }],
  ['U32', { size: 4, kind: 'integer', decode: (bytes) => narrow(new Uint32Array(bytes)) }],
  ['I16', { size: 2, kind: 'integer', decode: (bytes) => Int32Array.from(new Int16Array(bytes)) }],
  ['U16', { size: 2, kind: 'integer', decode: (bytes) => Int32Array.from(new Uint16Array(bytes)) }],
  ['I8', { size: 1, kind: 'integer', decode: (bytes) => Int32Array.from(new Int8Array(bytes)) }],
  ['U8', { size: 1, kind: 'integer', decode: (bytes) => Int32Array.from(new Uint8Array(bytes)) }],
  ['BOOL', { size: 1, kind: 'integer', decode: (bytes) => Int32Array.from(new Uint8Array(bytes)) }],
]);

/** @throws RangeError if a number does not fit into 32 bits. */
function narrow(wide: BigInt64Array | BigUint64Array | Uint32Array): Int32Array<ArrayBuffer> {
  const values = new Int32Array(wide.length);
  for (let i = 0; i < wide.length; i++) {
    const value = Number(wide[i]);
    if (value > 0x7fffffff || value < -0x80000000)
      throw new RangeError(`${wide[i]} does not fit into 32 bits`);
    values[i] = value;
  }
  return values;
}

/** bfloat16 is the upper half of a float32. */
function decodeBrain(bytes: ArrayBuffer): Float32Array<ArrayBuffer> {
  const upper = new Uint16Array(bytes);
  const bits = new Uint32Array(upper.length);
  for (let i = 0; i < upper.length; i++) bits[i] = (upper[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

/** float16 has so few values that all of them fit a table. It is made when the first such tensor is read. */
let halves: Float32Array | undefined;

function decodeHalf(bytes: ArrayBuffer): Float32Array<ArrayBuffer> {
  halves ??= Float32Array.from({ length: 0x10000 }, (_, bits) => halfToNumber(bits));
  const codes = new Uint16Array(bytes);
  const values = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) values[i] = halves[codes[i] ?? 0] ?? 0;
  return values;
}

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
