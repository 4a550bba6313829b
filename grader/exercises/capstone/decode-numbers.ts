import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Kind = 'F32' | 'F16' | 'BF16';
type Args = [Uint8Array, Kind];

/** The numbers that decide: zeros of both signs, the smallest and largest, subnormals, infinities. */
const SPECIAL: Readonly<Record<'F16' | 'BF16', readonly number[]>> = {
  F16: [0x0000, 0x8000, 0x0001, 0x8003, 0x03ff, 0x0400, 0x3c00, 0xbc00, 0x7bff, 0xfc00, 0x7c00, 0x3555],
  BF16: [0x0000, 0x8000, 0x0001, 0x3f80, 0xbf80, 0x7f7f, 0xff80, 0x7f80, 0x3eab, 0x4049],
};

/** Codes as little-endian bytes. No NaN: its bits may differ from machine to machine. */
function inputs(draw: Draw, kind: Kind, count: number, special = true): Args {
  if (kind === 'F32') {
    const values = Float32Array.from(
      { length: count },
      () => draw.rng.normal() * 10 ** (draw.rng.integer(9) - 4),
    );
    return [new Uint8Array(values.buffer), kind];
  }
  const topExponent = kind === 'F16' ? 0x7c00 : 0x7f80;
  const code = (): number => {
    const drawn = draw.rng.integer(0x10000);
    return (drawn & topExponent) === topExponent ? drawn & 0x83ff : drawn;
  };
  const codes = [...(special ? SPECIAL[kind] : []), ...Array.from({ length: count }, code)];
  const bytes = new Uint8Array(2 * codes.length);
  const view = new DataView(bytes.buffer);
  for (const [i, each] of codes.entries()) view.setUint16(2 * i, each, true);
  return [bytes, kind];
}

interface Rules {
  littleEndian?: boolean;
  bias?: number;
  sign?: boolean;
  subnormal?: 'right' | 'as normal' | 'zero';
  infinity?: boolean;
  fraction?: number;
  upper?: boolean;
  brainAsHalf?: boolean;
}

/** Decoding by the rules given: what the mutants vary. */
function decode(bytes: Uint8Array, kind: Kind, rules: Rules = {}): Float32Array {
  const { littleEndian = true, upper = true, brainAsHalf = false } = rules;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === 'F32') {
    return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, littleEndian));
  }
  const target = new DataView(new ArrayBuffer(4));
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => {
    const code = view.getUint16(2 * i, littleEndian);
    if (kind === 'F16' || brainAsHalf) return half(code, rules);
    target.setUint32(0, upper ? code * 0x10000 : code);
    return target.getFloat32(0);
  });
}

function half(
  code: number,
  { bias = 15, sign = true, subnormal = 'right', infinity = true, fraction = 1024 }: Rules,
): number {
  const factor = sign && code >= 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 31;
  const part = (code & 1023) / fraction;
  if (exponent === 31 && infinity) return part === 0 ? factor * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0 && subnormal !== 'as normal') {
    return subnormal === 'zero' ? factor * 0 : factor * part * 2 ** (1 - bias);
  }
  return factor * (1 + part) * 2 ** (exponent - bias);
}

export default defineExercise<Args>({
  id: 'capstone/decode-numbers',
  title: 'From 16 bits to 32',
  points: 3,
  entry: 'decodeNumbers',
  difficulty: 3,
  minutes: 30,
  signature:
    "decodeNumbers(bytes: Uint8Array /* little-endian */, dtype: 'F32' | 'F16' | 'BF16'): Float32Array",
  parameters: ['bytes', 'dtype'],
  tolerance: EXACT,
  reference: (bytes, kind) => decode(bytes, kind),
  variants: [
    {
      name: 'bits put together by hand',
      implementation: (bytes, kind) => {
        const size = kind === 'F32' ? 4 : 2;
        const bits = Uint32Array.from({ length: bytes.length / size }, (_, i) =>
          bytes.subarray(size * i, size * (i + 1)).reduceRight((sum, byte) => sum * 256 + byte, 0),
        );
        if (kind !== 'F16')
          return new Float32Array(bits.map((code) => (size === 4 ? code : code << 16)).buffer);
        return Float32Array.from(bits, (code) => {
          const exponent = (code & 0x7c00) >> 10;
          const whole = (code & 0x3ff) + (exponent === 0 ? 0 : 1024);
          const size = exponent === 31 ? Number.POSITIVE_INFINITY : whole * 2 ** (Math.max(1, exponent) - 25);
          return (code & 0x8000) === 0 ? size : -size;
        });
      },
    },
  ],
  mutants: [
    {
      id: 'big-endian',
      diagnosis:
        'The bytes of each number are read in the wrong order. The file is little-endian: getUint16(place, true), getFloat32(place, true).',
      implementation: (bytes, kind) => decode(bytes, kind, { littleEndian: false }),
    },
    {
      id: 'subnormal-as-normal',
      diagnosis:
        'Numbers with the exponent field 0 are wrong. They have no leading 1: fraction/1024 · 2^−14, and zero is one of them.',
      implementation: (bytes, kind) => decode(bytes, kind, { subnormal: 'as normal' }),
    },
    {
      id: 'subnormal-lost',
      diagnosis:
        'Numbers with the exponent field 0 all become 0. Only a fraction of 0 is zero; the others are fraction/1024 · 2^−14, the smallest numbers there are.',
      implementation: (bytes, kind) => decode(bytes, kind, { subnormal: 'zero' }),
    },
    {
      id: 'bias-16',
      diagnosis: 'The F16 numbers are half of what they should be: the exponent is shifted by 15, not 16.',
      implementation: (bytes, kind) => decode(bytes, kind, { bias: 16 }),
    },
    {
      id: 'sign-lost',
      diagnosis: 'The highest bit, the sign, is lost in F16: all numbers are positive.',
      implementation: (bytes, kind) => decode(bytes, kind, { sign: false }),
    },
    {
      id: 'infinity-as-number',
      diagnosis:
        'The exponent field 31 of F16 is treated like the others and gives 65536. It is kept for infinity (fraction 0) and NaN.',
      implementation: (bytes, kind) => decode(bytes, kind, { infinity: false }),
    },
    {
      id: 'fraction-of-512',
      diagnosis: 'The fraction of F16 is divided by 512. It has 10 bits: divide by 1024.',
      implementation: (bytes, kind) => decode(bytes, kind, { fraction: 512 }),
    },
    {
      id: 'lower-half',
      diagnosis:
        'The 16 bits of BF16 are put into the lower half of the float32. They are its upper half; the lower 16 bits are 0.',
      implementation: (bytes, kind) => decode(bytes, kind, { upper: false }),
    },
    {
      id: 'brain-as-half',
      diagnosis:
        'BF16 is decoded like F16. Both have 16 bits, divided otherwise: BF16 has 8 for the exponent and 7 for the fraction, as float32 begins.',
      implementation: (bytes, kind) => decode(bytes, kind, { brainAsHalf: true }),
    },
  ],
  cases: [
    { name: 'F16', visibility: 'public', inputs: (draw) => inputs(draw, 'F16', 8) },
    { name: 'BF16', visibility: 'public', inputs: (draw) => inputs(draw, 'BF16', 8) },
    { name: 'F32', visibility: 'public', inputs: (draw) => inputs(draw, 'F32', 7) },
    { name: 'many of F16', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 'F16', 3000) },
    { name: 'many of BF16', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 'BF16', 3000) },
    { name: 'other F32', visibility: 'hidden', inputs: (draw) => inputs(draw, 'F32', 50) },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'A number is a sign, an exponent and a fraction. How many bits has each in the three types, and which two types share their exponent?',
    'F32: getFloat32(4·i, true). BF16: the 16 bits, shifted left by 16, are the bits of a float32. F16: sign = bit 15, exponent e = bits 10 … 14, fraction f = bits 0 … 9; three cases: e = 0, e = 31, the rest.',
    'F16 (IEEE 754-2019, binary16): e = 0: ±f/1024 · 2^−14; e = 31, f = 0: ±∞; else ±(1 + f/1024) · 2^(e−15). BF16 is a float32 cut after 16 bits (Kalamkar et al., 2019, "A study of BFLOAT16 for deep learning training").',
  ],
});
