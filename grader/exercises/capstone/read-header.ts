import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  /** first byte of its numbers, from the start of the file */
  begin: number;
  bytesPerNumber: number;
}

type Args = [Uint8Array];

const SIZES: Readonly<Record<string, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1 };

/** A file of random numbers: header length, header (padded with spaces as the writers do), data. */
function inputs(draw: Draw, tensors: readonly { dtype: string; shape: number[] }[]): Args {
  let offset = 0;
  const header: Record<string, unknown> = {
    __metadata__: { format: 'pt', made: `draw ${draw.rng.integer(1000)}` },
  };
  for (const [i, { dtype, shape }] of tensors.entries()) {
    const end = offset + shape.reduce((product, side) => product * side, SIZES[dtype] ?? 0);
    header[`${draw.pick(['wte', 'wpe', 'ln_f', 'h.0.attn'])}.${i}.weight`] = {
      dtype,
      shape,
      data_offsets: [offset, end],
    };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = 8 * Math.ceil(json.length / 8);
  const bytes = new Uint8Array(8 + length + offset).fill(0x20, 8, 8 + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  for (let i = 8 + length; i < bytes.length; i++) bytes[i] = 0x80 + draw.rng.integer(0x80);
  return [bytes];
}

interface RawEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Reading by the rules given: what the mutants vary. */
function read(
  bytes: Uint8Array,
  {
    littleEndian = true,
    origin = (length: number) => 8 + length,
    metadata = false,
    size = (dtype: string) => SIZES[dtype] ?? 0,
    begin = ({ data_offsets }: RawEntry) => data_offsets[0],
    shape = (raw: RawEntry) => raw.shape,
  } = {},
): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, littleEndian));
  const header: Record<string, RawEntry> = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, 8 + length)),
  );
  return Object.entries(header)
    .filter(([name]) => metadata || name !== '__metadata__')
    .map(([name, raw]) =>
      name === '__metadata__'
        ? { name, dtype: '', shape: [], begin: origin(length), bytesPerNumber: 0 }
        : {
            name,
            dtype: raw.dtype,
            shape: shape(raw),
            begin: origin(length) + begin(raw),
            bytesPerNumber: size(raw.dtype),
          },
    );
}

export default defineExercise<Args>({
  id: 'capstone/read-header',
  title: 'The header of a safetensors file',
  points: 3,
  entry: 'readHeader',
  difficulty: 2,
  minutes: 25,
  signature:
    'readHeader(bytes: Uint8Array): {name: string; dtype: string; shape: number[]; begin: number /* from the start of the file */; bytesPerNumber: number}[]  // in the order of the header',
  parameters: ['bytes'],
  tolerance: EXACT,
  reference: (bytes) => read(bytes),
  variants: [
    {
      name: 'the length added up byte by byte, the size from the offsets',
      implementation: (bytes) => {
        const length = bytes.subarray(0, 8).reduceRight((sum, byte) => sum * 256 + byte, 0);
        const header: Record<string, RawEntry> = JSON.parse(
          Array.from(bytes.subarray(8, 8 + length), (byte) => String.fromCharCode(byte)).join(''),
        );
        const found: Entry[] = [];
        for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
          if (name === '__metadata__') continue;
          const [from, to] = data_offsets;
          const count = shape.reduce((product, side) => product * side, 1);
          found.push({ name, dtype, shape, begin: from + length + 8, bytesPerNumber: (to - from) / count });
        }
        return found;
      },
    },
  ],
  mutants: [
    {
      id: 'big-endian',
      diagnosis:
        'The length of the header is read with its first byte as the largest. It is little-endian: the first of the eight bytes counts least. getBigUint64(0, true) reads it so.',
      implementation: (bytes) => read(bytes, { littleEndian: false }),
    },
    {
      id: 'offsets-from-the-file',
      diagnosis:
        'The offsets are taken as places in the file. They count from the end of the header: add 8 and the length of the header.',
      implementation: (bytes) => read(bytes, { origin: () => 0 }),
    },
    {
      id: 'eight-bytes-forgotten',
      diagnosis:
        'The places are 8 bytes too early: before the header stand the eight bytes that hold its length.',
      implementation: (bytes) => read(bytes, { origin: (length) => length }),
    },
    {
      id: 'metadata-as-a-tensor',
      diagnosis:
        'The entry __metadata__ is listed among the tensors. It holds free text about the file and has no numbers.',
      implementation: (bytes) => read(bytes, { metadata: true }),
    },
    {
      id: 'four-bytes-each',
      diagnosis:
        'Every number is taken to be four bytes. That holds for F32; F16 and BF16 have two, F64 and I64 eight: look at dtype.',
      implementation: (bytes) => read(bytes, { size: () => 4 }),
    },
    {
      id: 'half-as-four-bytes',
      diagnosis: 'BF16 is taken to be four bytes. It is the upper half of a float32: two bytes.',
      implementation: (bytes) =>
        read(bytes, { size: (dtype) => (dtype === 'BF16' ? 4 : (SIZES[dtype] ?? 0)) }),
    },
    {
      id: 'end-for-begin',
      diagnosis:
        'begin is where the numbers end. data_offsets holds two places: the first byte, and the byte after the last.',
      implementation: (bytes) => read(bytes, { begin: ({ data_offsets }) => data_offsets[1] }),
    },
    {
      id: 'shape-reversed',
      diagnosis: 'The axes of the shapes are reversed. They stand in the header as they are: rows first.',
      implementation: (bytes) => read(bytes, { shape: (raw) => raw.shape.toReversed() }),
    },
  ],
  cases: [
    {
      name: 'three tensors',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, [
          { dtype: 'F16', shape: [3, 5] },
          { dtype: 'F32', shape: [7] },
          { dtype: 'BF16', shape: [2, 4, 3] },
        ]),
    },
    {
      name: 'more types',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) =>
        inputs(draw, [
          { dtype: 'I64', shape: [2, 3] },
          { dtype: 'BF16', shape: [5, 2] },
          { dtype: 'F64', shape: [4] },
          { dtype: 'F16', shape: [1 + draw.rng.integer(4), 6] },
          { dtype: 'I32', shape: [3] },
          { dtype: 'U8', shape: [9, 2] },
        ]),
    },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'Three parts lie one after the other: a number, a text, and the numbers of the tensors. Where does each begin?',
    'Bytes 0 … 7 → length n; bytes 8 … 7 + n → text → JSON → entries {name: {dtype, shape, data_offsets: [from, to]}} without __metadata__; begin = 8 + n + from.',
    'n is an unsigned 64-bit number, little-endian: n = Σ byte[i]·256^i. Sizes: F64, I64 8; F32, I32 4; F16, BF16 2; U8 1. The format: the safetensors project of Hugging Face, README, section "Format".',
  ],
});
