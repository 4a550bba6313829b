// The master of chapter 11. `npx lab notebooks` makes notebooks/11-capstone.ipynb from it.

// %% [markdown]
// # 11 · Capstone: a real checkpoint in your own model
//
// In ten chapters you wrote the parts of eight models. In this one you put the parts of one together, and then nothing
// is left that somebody else did for you: you open the file in which a trained model lies, byte by byte, bring its
// numbers into a model that **you** wrote, and show that it computes what the original computes. Then you measure what
// the model can do, train it a little further, and write down what you found on a *model card*.
//
// | word | what it means here |
// |---|---|
// | **checkpoint** | the files of a trained model: its numbers, its sizes, its tokenizer |
// | **hub** | a server from which checkpoints can be fetched by name, such as `openai-community/gpt2` |
// | **reference** | the program whose numbers we want to match: the library *transformers* of Hugging Face |
//
// | letter | what it counts |
// |---|---|
// | B, T | sequences in a batch, tokens in a sequence |
// | D, H, d | width, attention heads, width of a head: D = H·d |
// | F, V, L | feed-forward width, tokens in the vocabulary, layers |
//
// You need chapters 02, 04 (byte-level BPE) and 09. Plan for five hours, in more than one sitting.

// %%
import { readFile, stat } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';
import { check, show } from 'llm-lab';

const backend = await lab.startBackend();
await show(`Computing on **${backend.name}**: ${backend.device}.`);

// %% [markdown]
// ## Part 1 · Which model?
//
// A small GPT-2 comes with this course, so that the chapter works without a connection. The script
// `datasets/checkpoints/generate.py` trained it with the reference on the stories you know. Its files look exactly like
// those of the large models on the hub:
//
// | file | what is in it |
// |---|---|
// | `config.json` | the sizes: layers, width, heads … |
// | `model.safetensors` | all numbers of the model |
// | `tokenizer.json` | the vocabulary and the merges of byte-level BPE |
//
// To work with another GPT-2 in this format, put its name on the hub, or the path of a folder, between the quotes
// below, and run the notebook again; `openai-community/gpt2` is the original, of 124 million parameters (0.55 GB). What
// was fetched once is kept. Without a connection the notebook says so and goes on with the model that came along.

// %%
const WANTED: string = ''; // '' is the bundled one; or 'openai-community/gpt2', or the path of a folder

const BUNDLED = `${lab.DATASETS_FOLDER}checkpoints/story-gpt2`;
const folderOf = async (wanted: string): Promise<string> => {
  if (wanted === '') return BUNDLED;
  const here = await stat(wanted).catch(() => undefined);
  if (here?.isDirectory()) return wanted;
  try {
    return await lab.downloadModel(wanted, { progress: lab.progressBar(wanted) });
  } catch (error) {
    if (!(error instanceof lab.InputError)) throw error;
    await show(`${error.message}. This notebook goes on with the bundled model.`);
    return BUNDLED;
  }
};
const folder = await folderOf(WANTED);
const modelName = folder === BUNDLED ? 'story-gpt2' : WANTED;
const json = await lab.readJsonObject(`${folder}/config.json`);
if (json.model_type !== 'gpt2')
  throw new Error(`this chapter needs a GPT-2, ${folder} holds ${json.model_type}`);
const config = lab.parseGpt2Config(json);
if (config.activation_function !== 'gelu_new' || !config.tie_word_embeddings)
  throw new Error('this chapter needs a GPT-2 as it was released: gelu_new, and a tied head');
await show(
  lab.table(
    [
      { letter: 'L', 'in config.json': 'n_layer', size: config.n_layer },
      { letter: 'D', 'in config.json': 'n_embd', size: config.n_embd },
      { letter: 'H', 'in config.json': 'n_head', size: config.n_head },
      { letter: 'F', 'in config.json': 'n_inner (4·D unless given)', size: config.n_inner },
      { letter: 'V', 'in config.json': 'vocab_size', size: config.vocab_size },
      { letter: 'T max', 'in config.json': 'n_positions', size: config.n_positions },
    ],
    modelName,
  ),
);

// %% [markdown]
// The way of the numbers through this chapter, from the bottom up:

// %%
await show(
  lab.architectureFigure({
    title: 'From a file to logits',
    rows: [
      [{ label: 'model.safetensors', note: 'bytes', kind: 'data' }],
      [{ label: 'header', note: 'names, types, shapes, places' }],
      [{ label: 'numbers', note: 'float16, bfloat16 → float32' }],
      [{ label: 'your parameters', note: 'names matched, weights turned', kind: 'data' }],
      [
        { label: 'token embedding', note: 'table [V, D]', shape: '[B, T, D]' },
        { label: 'position embedding', note: 'table [T max, D]', shape: '[T, D]' },
      ],
      [{ label: 'your block', note: 'chapter 09', shape: '[B, T, D]' }],
      [{ label: 'final norm', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'tied head', note: 'the token table again', kind: 'head', shape: '[B, T, V]' }],
    ],
    groups: [{ from: 5, to: 5, label: '× L' }],
  }),
);

// %% [markdown]
// ## Part 2 · Reading the file
//
// A file is a row of **bytes**, numbers from 0 to 255. In a *safetensors* file they mean:
//
// | bytes | what they are |
// |---|---|
// | the first 8 | one whole number n, the length of the header |
// | the next n | the **header**: a text in JSON, the notation of JavaScript's own objects |
// | the rest | the numbers of all tensors, one tensor after the other |
//
// A number larger than 255 takes several bytes, and they can be written in two orders. Here the byte that counts
// **least** comes first (*little-endian*): the bytes 5, 1 mean 5 + 1·256 = 261.
//
// The header has an entry for each tensor:
//
// `"transformer.ln_f.bias": {"dtype": "F16", "shape": [96], "data_offsets": [4608, 4800]}`
//
// `dtype` is the type of its numbers, and `data_offsets` says from which byte up to which they go, **counted from the
// end of the header**. Another entry, `__metadata__`, is no tensor.
//
// Older checkpoints were *pickle* files, which are programs: to open one is to run it. A safetensors file holds only
// text and numbers, so it can be opened without trust in whoever made it. (The format is described in the [README of
// the safetensors project](https://github.com/huggingface/safetensors#format).)

// %% [exercise] capstone/read-header difficulty=2 minutes=25
// ### Exercise: the header
// Write `readHeader(bytes)`. Return for each tensor, in the order of the header, `{name, dtype, shape, begin,
// bytesPerNumber}`. `begin` is the place of its first byte **in the file**.
//
// Sizes: `F64`, `I64` 8 bytes; `F32`, `I32` 4; `F16`, `BF16` 2; `U8` 1. Useful: `new DataView(bytes.buffer,
// bytes.byteOffset)` has `getBigUint64(place, littleEndian)`, whose result `Number` turns into a plain number;
// `new TextDecoder().decode(bytes)` makes a text of bytes, `bytes.subarray(from, to)` is a part of them.
//
// <!-- hint -->
// Three parts lie one after the other: a number, a text, and the numbers of the tensors. Where does each begin?
// <!-- hint -->
// Bytes 0 … 7 → length n; bytes 8 … 7 + n → text → JSON → entries {name: {dtype, shape, data_offsets: [from, to]}}
// without `__metadata__`; begin = 8 + n + from.
// <!-- hint -->
// $n = \sum_{i=0}^{7} \text{byte}_i \cdot 256^i$; begin = 8 + n + data_offsets[0]. The format: README of the safetensors
// project, section "Format".

// %% [answer] capstone/read-header
interface TensorPlace {
  name: string;
  dtype: string;
  shape: number[];
  begin: number;
  bytesPerNumber: number;
}

function readHeader(bytes: Uint8Array): TensorPlace[] {
  // BEGIN SOLUTION
  const sizes: Record<string, number> = { F64: 8, I64: 8, F32: 4, I32: 4, F16: 2, BF16: 2, U8: 1 };
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(text);
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, { dtype, shape, data_offsets }]) => ({
      name,
      dtype,
      shape,
      begin: 8 + length + data_offsets[0],
      bytesPerNumber: sizes[dtype] ?? 0,
    }));
  // END SOLUTION
  //| // One object for each tensor.
  //| throw new Error('readHeader is not written yet');
}

// %%
await check('capstone/read-header', readHeader);

// %% [markdown]
// ### Numbers of 16 bits
//
// You know numbers of 32 bits, `F32`: 1 bit for the sign, 8 for the exponent, 23 for the fraction. Half the bits make
// half the file, and two ways of saving them are in use:
//
// | | sign | exponent | fraction | largest number |
// |---|---|---|---|---|
// | `F32`, float32 | 1 bit | 8 bits | 23 bits | $3.4\cdot10^{38}$ |
// | `F16`, float16 | 1 | 5 | 10 | 65504 |
// | `BF16`, bfloat16 | 1 | 8 | 7 | $3.4\cdot10^{38}$ |
//
// **bfloat16** saves at the fraction: it *is* a float32 without its lower half. It reaches as far, but less finely.
// **float16** is finer and reaches less far. With sign bit s, exponent field e and fraction field f, its number is
//
// $$x = (-1)^s \cdot \begin{cases} \dfrac{f}{1024}\cdot 2^{-14} & e = 0 \\[2mm] \infty \text{ (or "not a number" if } f \neq 0) & e = 31 \\[1mm]
// \left(1 + \dfrac{f}{1024}\right) 2^{\,e-15} & \text{else} \end{cases}$$
//
// (IEEE 754-2019, section 3.4, binary16; Kalamkar et al., 2019, [A study of BFLOAT16 for deep learning
// training](https://arxiv.org/abs/1905.12322).) The next chart shows how far apart two neighbouring numbers lie: the
// lower, the finer.

// %%
const magnitudes = Array.from({ length: 41 }, (_, i) => 2 ** (i - 26)); // from far below 1 to 2^14
const spacing = (fractionBits: number, smallest: number) =>
  magnitudes.map((x): [number, number] => [x, Math.max(smallest, x * 2 ** -fractionBits)]);
await show(
  lab.lineChart(
    [
      { name: 'bfloat16', points: spacing(7, 0) },
      { name: 'float16', points: spacing(10, 2 ** -24) },
      { name: 'float32', points: spacing(23, 0) },
    ],
    { title: 'Distance to the next number', x: 'number', y: 'distance', logX: true, logY: true },
  ),
);

// %% [exercise] capstone/decode-numbers difficulty=3 minutes=30
// ### Exercise: from 16 bits to 32
// Write `decodeNumbers(bytes, dtype)`: the bytes of a tensor, little-endian, in one of the three types → `Float32Array`.
//
// A `DataView` has `getFloat32(place, littleEndian)` and `getUint16(place, littleEndian)`. Bits of a whole number:
// `code >> 10` drops the lower ten, `code & 0x3ff` keeps them (`0x3ff` = 1023). `new Float32Array(words.buffer)` reads
// the bits of a `Uint32Array` as float32.
//
// <!-- hint -->
// A number is a sign, an exponent and a fraction. How many bits has each in the three types, and which two types share
// their exponent?
// <!-- hint -->
// F32: getFloat32(4·i, true). BF16: the 16 bits, shifted left by 16, are the bits of a float32. F16: sign = bit 15, e =
// bits 10 … 14, f = bits 0 … 9; three cases: e = 0, e = 31, the rest.
// <!-- hint -->
// The formula above. 2 ** n is $2^n$; the smallest float16 above 0 is $2^{-24}$, and 1.0 has e = 15, f = 0.

// %% [answer] capstone/decode-numbers
type NumberType = 'F32' | 'F16' | 'BF16';

function decodeNumbers(bytes: Uint8Array, dtype: NumberType): Float32Array {
  // BEGIN SOLUTION
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === 'F32') {
    return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  }
  const codes = Array.from({ length: bytes.length / 2 }, (_, i) => view.getUint16(2 * i, true));
  if (dtype === 'BF16') return new Float32Array(Uint32Array.from(codes, (code) => code << 16).buffer);
  return Float32Array.from(codes, (code) => {
    const sign = code >> 15 === 1 ? -1 : 1;
    const exponent = (code >> 10) & 31;
    const fraction = code & 0x3ff;
    if (exponent === 0) return sign * (fraction / 1024) * 2 ** -14;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  // END SOLUTION
  //| // Return a Float32Array.
  //| throw new Error('decodeNumbers is not written yet');
}

// %%
await check('capstone/decode-numbers', decodeNumbers);

// %% [markdown]
// With your header reader, a look into the file: which parts of the model take the most room?

// %%
const fileBytes = new Uint8Array(await readFile(`${folder}/model.safetensors`));

await lab.whenSolved('capstone/read-header', readHeader, async () => {
  const places = readHeader(fileBytes);
  const size = ({ shape, bytesPerNumber }: TensorPlace): number =>
    shape.reduce((product, side) => product * side, bytesPerNumber);
  const parts = {
    tokens: /wte/,
    positions: /wpe/,
    attention: /\.attn\./,
    'feed-forward': /\.mlp\./,
    norms: /ln_/,
  };
  await show(
    lab.table(
      places
        .slice(0, 6)
        .map(({ name, dtype, shape, begin }) => ({ name, dtype, shape: `[${shape}]`, begin })),
      `${places.length} tensors, the first six`,
    ),
  );
  await show(
    lab.barChart(
      Object.entries(parts).map(([label, pattern]) => ({
        label,
        value:
          places.filter(({ name }) => pattern.test(name)).reduce((sum, place) => sum + size(place), 0) / 1000,
      })),
      { title: `${fileBytes.length} bytes of ${modelName}`, value: 'kB' },
    ),
  );
});

// %% [markdown]
// ## Part 3 · Whose name is whose?
//
// The file calls its tensors what the reference calls them. A GPT-2 has these, with D = `n_embd` and F = `n_inner`:
//
// | name | shape | what it is |
// |---|---|---|
// | `transformer.wte.weight` | `[V, D]` | token table |
// | `transformer.wpe.weight` | `[T max, D]` | position table |
// | `transformer.h.0.ln_1.weight`, `.bias` | `[D]` | norm before attention, layer 0 |
// | `transformer.h.0.attn.c_attn.weight`, `.bias` | `[D, 3·D]`, `[3·D]` | query, key and value side by side |
// | `transformer.h.0.attn.c_proj.weight`, `.bias` | `[D, D]`, `[D]` | output of attention |
// | `transformer.h.0.ln_2.weight`, `.bias` | `[D]` | norm before the feed-forward network |
// | `transformer.h.0.mlp.c_fc.weight`, `.bias` | `[D, F]`, `[F]` | feed-forward, up |
// | `transformer.h.0.mlp.c_proj.weight`, `.bias` | `[F, D]`, `[D]` | feed-forward, down |
// | … `h.1`, `h.2`, … | | the other layers |
// | `transformer.ln_f.weight`, `.bias` | `[D]` | final norm |
//
// Three things to know:
//
// - There is no tensor for the head. It is **tied**: the token table serves a second time.
// - Files of the bare model (without a head) have the same names without `transformer.` in front.
// - Old files also hold `h.0.attn.bias` and `h.0.attn.masked_bias`. These are no parameters but the causal mask, which you
//   compute yourself.
//
// A loader that passes over what it does not understand is dangerous: a model with one random layer still writes
// something. So every tensor must have a place, every place a tensor, and the shapes must agree.

// %% [exercise] capstone/match-weights difficulty=3 minutes=40
// ### Exercise: matching
// Write `matchWeights(file, config)`. `file` maps the names in a file to shapes. Return
//
// | | |
// |---|---|
// | `places` | full name → name in the file, for all that are there with the right shape |
// | `missing` | full names that are not in the file, under either spelling |
// | `misshapen` | full names that are there with another shape |
// | `unused` | names in the file, as they stand there, that the model has no place for; the old masks are not listed |
//
// *Full* names begin with `transformer.`; the three lists are sorted with `sort()`.
//
// <!-- hint -->
// First write down what you expect: a record of names and shapes for L layers. Then compare it with the file, in both
// directions.
// <!-- hint -->
// Expected: the table above for each layer. For each expected name: is the full or the bare name in the file? The same
// shape? At the end: which names of the file were not asked for?
// <!-- hint -->
// missing = expected ∖ file; unused = file ∖ expected ∖ {names that end in `.attn.bias` or `.attn.masked_bias`}. Names:
// class GPT2Model of transformers; sizes: Radford et al., 2019, section 2.3.

// %% [answer] capstone/match-weights
interface GptSizes {
  vocab_size: number;
  n_positions: number;
  n_embd: number;
  n_layer: number;
  n_inner: number;
}

interface Match {
  places: Record<string, string>;
  missing: string[];
  unused: string[];
  misshapen: string[];
}

function matchWeights(file: Record<string, number[]>, sizes: GptSizes): Match {
  // BEGIN SOLUTION
  const { n_embd: width, n_inner: inner } = sizes;
  const expected = new Map<string, number[]>();
  const pair = (name: string, weight: number[]): void => {
    expected.set(`${name}.weight`, weight);
    expected.set(`${name}.bias`, weight.slice(-1));
  };
  expected.set('wte.weight', [sizes.vocab_size, width]);
  expected.set('wpe.weight', [sizes.n_positions, width]);
  for (let i = 0; i < sizes.n_layer; i++) {
    pair(`h.${i}.ln_1`, [width]);
    pair(`h.${i}.attn.c_attn`, [width, 3 * width]);
    pair(`h.${i}.attn.c_proj`, [width, width]);
    pair(`h.${i}.ln_2`, [width]);
    pair(`h.${i}.mlp.c_fc`, [width, inner]);
    pair(`h.${i}.mlp.c_proj`, [inner, width]);
  }
  pair('ln_f', [width]);

  const match: Match = { places: {}, missing: [], unused: [], misshapen: [] };
  const used = new Set<string>();
  for (const [bare, shape] of expected) {
    const full = `transformer.${bare}`;
    const place = [full, bare].find((name) => Object.hasOwn(file, name));
    if (place === undefined) {
      match.missing.push(full);
      continue;
    }
    used.add(place);
    if (file[place]?.join() === shape.join()) match.places[full] = place;
    else match.misshapen.push(full);
  }
  match.unused = Object.keys(file).filter((name) => !used.has(name) && !/\.attn\.(masked_)?bias$/.test(name));
  for (const list of [match.missing, match.unused, match.misshapen]) list.sort();
  return match;
  // END SOLUTION
  //| // Return {places, missing, unused, misshapen}.
  //| throw new Error('matchWeights is not written yet');
}

// %%
await check('capstone/match-weights', matchWeights);

// %% [markdown]
// ### Turned weights
//
// A linear layer of this course has a weight `[out, in]` and computes $x W^\top + b$. GPT-2 was written otherwise: its
// layers are convolutions of width 1, which store `[in, out]` and compute $x W + b$. The results are the same if you
// **turn** (transpose) the weight. Forget it where in = out, and no shape complains; the model just writes nonsense.
//
// And query, key and value are one tensor, so that one product makes all three:
// $[q\;k\;v] = x\,[W_q\;W_k\;W_v] + [b_q\;b_k\;b_v]$.

// %% [exercise] capstone/split-attention difficulty=2 minutes=20
// ### Exercise: query, key and value from one tensor
// Write `splitAttention({weight, bias}, {n_head})`: weight `[D, 3·D]`, bias `[3·D]` → `{query, key, value}`, each
// `{weight: [D, D], bias: [D]}` as `lab.linear` takes them. You may or may not need `n_head`.
//
// <!-- hint -->
// A column of the stored weight makes one output feature. Which columns make the queries? And which way round does a
// linear layer of this course want its weight?
// <!-- hint -->
// weight [D, 3·D] → columns i·D … (i + 1)·D − 1 → [D, D] (in, out) → transpose → [D, D] (out, in); bias [3·D] → i·D …
// (i + 1)·D − 1 → [D]; i = 0 query, 1 key, 2 value.
// <!-- hint -->
// $q = x W_q + b_q$, and linear computes $x W^\top + b$, so its weight is $W_q^\top$. The order is that of the code
// released with Radford et al., 2019: first all queries, then all keys, then all values, over all heads.

// %% [answer] capstone/split-attention
interface FusedAttention {
  weight: tf.Tensor2D;
  bias: tf.Tensor1D;
}

function splitAttention(
  { weight, bias }: FusedAttention,
  { n_head: _heads }: { n_head: number },
): Record<'query' | 'key' | 'value', { weight: tf.Tensor2D; bias: tf.Tensor1D }> {
  // BEGIN SOLUTION
  const [width] = weight.shape;
  const part = (i: number): { weight: tf.Tensor2D; bias: tf.Tensor1D } => ({
    weight: tf.tidy(() => tf.transpose(tf.slice(weight, [0, i * width], [width, width]))),
    bias: tf.slice(bias, [i * width], [width]),
  });
  return { query: part(0), key: part(1), value: part(2) };
  // END SOLUTION
  //| // Return {query, key, value}.
  //| throw new Error('splitAttention is not written yet');
}

// %%
await check('capstone/split-attention', splitAttention);

// %% [markdown]
// ### All together
//
// The next cell loads the model with your four functions: header, numbers, names, attention. Until all of them pass
// their checks, the library loads it, and the cell says which one is missing.

// %%
interface StoryParams {
  tokens: tf.Tensor2D;
  positions: tf.Tensor2D;
  blocks: lab.GptBlockParams[];
  finalNorm: lab.LayerNormParams;
}

/** What the four functions make of the file. */
const loadYours = (): StoryParams => {
  const header = new Map(readHeader(fileBytes).map((place) => [place.name, place]));
  const shapes = Object.fromEntries([...header].map(([name, { shape }]) => [name, shape]));
  const { places, missing, unused, misshapen } = matchWeights(shapes, config);
  const wrong = [...missing, ...unused, ...misshapen];
  if (wrong.length > 0) throw new Error(`this is no GPT-2 of these sizes: look at ${wrong.join(', ')}`);
  const numbers = (name: string): { values: Float32Array; shape: number[] } => {
    const place = header.get(places[`transformer.${name}`] ?? '');
    if (place === undefined) throw new Error(`no place for ${name}`);
    const { dtype, shape, begin, bytesPerNumber } = place;
    if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') throw new Error(`${name} holds ${dtype}`);
    const end = begin + shape.reduce((product, side) => product * side, bytesPerNumber);
    return { values: decodeNumbers(fileBytes.subarray(begin, end), dtype), shape };
  };
  const vector = (name: string): tf.Tensor1D => tf.tensor1d(numbers(name).values);
  const table = (name: string): tf.Tensor2D => {
    const { values, shape } = numbers(name);
    return tf.tensor2d(values, [shape[0] ?? 0, shape[1] ?? 0]);
  };
  const norm = (name: string) => ({ weight: vector(`${name}.weight`), bias: vector(`${name}.bias`) });
  const turned = (name: string) => ({
    weight: tf.tidy(() => tf.transpose(table(`${name}.weight`))),
    bias: vector(`${name}.bias`),
  });
  const block = (at: string): lab.GptBlockParams => {
    const fused = { weight: table(`${at}.attn.c_attn.weight`), bias: vector(`${at}.attn.c_attn.bias`) };
    const attention = { ...splitAttention(fused, config), output: turned(`${at}.attn.c_proj`) };
    tf.dispose([fused.weight, fused.bias]);
    return {
      attentionNorm: norm(`${at}.ln_1`),
      attention,
      feedForwardNorm: norm(`${at}.ln_2`),
      feedForward: { up: turned(`${at}.mlp.c_fc`), down: turned(`${at}.mlp.c_proj`) },
    };
  };
  return {
    tokens: table('wte.weight'),
    positions: table('wpe.weight'),
    blocks: Array.from({ length: config.n_layer }, (_, i) => block(`h.${i}`)),
    finalNorm: norm('ln_f'),
  };
};

const loadWithLibrary = async (): Promise<StoryParams> => {
  const { tokens, positions, blocks, finalNorm } = await lab.loadParameters(
    lab.gptLMHeadWeights(config),
    await lab.openCheckpoint(folder),
  );
  if (finalNorm === undefined) throw new Error('a GPT-2 has a final norm');
  return { tokens, positions, blocks, finalNorm };
};

const unsolved: string[] = [];
for (const [id, own] of [
  ['capstone/read-header', readHeader],
  ['capstone/decode-numbers', decodeNumbers],
  ['capstone/match-weights', matchWeights],
  ['capstone/split-attention', splitAttention],
] as const) {
  if (!(await lab.isSolved(id, own))) unsolved.push(own.name);
}
const bytesBefore = tf.memory().numBytes;
const params = unsolved.length === 0 ? loadYours() : await loadWithLibrary();
const parameterBytes = tf.memory().numBytes - bytesBefore;
const parameters = lab.parameterCount(params);
await show(
  `${unsolved.length === 0 ? 'Your code' : `The library (still to write: ${unsolved.join(', ')})`} loaded ` +
    `**${parameters}** parameters, ${parameterBytes} bytes as float32.`,
);

// %% [markdown]
// ## Part 4 · The model
//
// Now the whole GPT-2, in one function. You wrote all of it in chapters 02 and 09; bring it over, with every part of it
// written by you: linear layer, layer norm, GELU, attention. Only TensorFlow.js below.
//
// $$h_0 = E[\text{ids}] + P, \qquad a_l = h_{l-1} + \operatorname{MHA}(\operatorname{LN}(h_{l-1})), \qquad
// h_l = a_l + \operatorname{FF}(\operatorname{LN}(a_l)), \qquad \text{logits} = \operatorname{LN}_f(h_L)\,E^\top$$
//
// $$\operatorname{LN}(x) = \frac{x - \operatorname{mean}(x)}{\sqrt{\operatorname{var}(x) + \epsilon}}\odot\gamma + \beta, \qquad
// \operatorname{FF}(x) = W_2\operatorname{GELU}(W_1 x + b_1) + b_2$$
//
// $$\operatorname{GELU}(x) \approx \tfrac12 x\left(1 + \tanh\left(\sqrt{2/\pi}\,(x + 0.044715\,x^3)\right)\right)$$
//
// $E$ is the token table, $P$ the rows 0 … T − 1 of the position table, $\gamma$ and $\beta$ are the `weight` and
// `bias` of a norm. (Radford et al., 2018, section 3.1; Radford et al., 2019, section 2.3; Hendrycks and Gimpel, 2016,
// [Gaussian error linear units](https://arxiv.org/abs/1606.08415), section 2.)

// %% [exercise] capstone/model difficulty=5 minutes=90
// ### Exercise: the whole model
// Write `gpt2Logits(params, ids, {n_head, layer_norm_epsilon})`: ids int32 `[B, T]` → logits `[B, T, V]`.
//
// | | |
// |---|---|
// | `params.tokens`, `params.positions` | `[V, D]`, `[T max, D]` |
// | `params.blocks[i].attentionNorm`, `.feedForwardNorm` | `{weight, bias}`, each `[D]` |
// | `params.blocks[i].attention` | `{query, key, value, output}`, each `{weight: [D, D], bias: [D]}` |
// | `params.blocks[i].feedForward` | `{up: {weight: [F, D], bias: [F]}, down: {weight: [D, F], bias: [D]}}` |
// | `params.finalNorm` | `{weight, bias}`, each `[D]` |
//
// The logits may differ from the reference's by 1e-4 at most. Write helper functions in the same cell, as many as you
// like.
//
// <!-- hint -->
// Three pieces: a sum of two look-ups, the blocks of chapter 09 in a row, and a comparison of the result with every row
// of the token table. Check the pieces one by one against `lab.layerNorm`, `lab.multiHeadAttention` and the like.
// <!-- hint -->
// ids [B, T] → rows of tokens [B, T, D] + rows 0 … T − 1 of positions [T, D] → each block [B, T, D] → finalNorm [B, T,
// D] → times the token table turned [D, V] → [B, T, V]. In a block: norm → q, k, v [B, H, T, d] → scores [B, H, T, T] /
// √d, future hidden → softmax → times v → merge → output → + x; norm → up [B, T, F] → GELU → down → + .
// <!-- hint -->
// The formulas above; $\operatorname{softmax}(q k^\top/\sqrt d + M)\,v$ with M = 0 where key ≤ query and very negative
// elsewhere (Vaswani et al., 2017, section 3.2).

// %% [answer] capstone/model
interface ModelSettings {
  n_head: number;
  layer_norm_epsilon: number;
}

function gpt2Logits(params: StoryParams, ids: tf.Tensor2D, settings: ModelSettings): tf.Tensor {
  // BEGIN SOLUTION
  const { n_head: heads, layer_norm_epsilon: eps } = settings;
  const [batch, length] = ids.shape;
  const width = params.tokens.shape[1];
  const size = width / heads;

  const dense = (x: tf.Tensor, { weight, bias }: lab.LinearParams): tf.Tensor => {
    const flat: tf.Tensor2D = tf.reshape(x, [batch * length, weight.shape[1] ?? 0]);
    const product = tf.matMul(flat, weight, false, true);
    const sum = bias === undefined ? product : tf.add(product, bias);
    return tf.reshape(sum, [batch, length, weight.shape[0] ?? 0]);
  };
  const norm = (x: tf.Tensor, { weight, bias }: lab.LayerNormParams): tf.Tensor => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true); // [B, T, 1]
    return tf.add(tf.mul(tf.div(centred, tf.sqrt(tf.add(variance, eps))), weight), bias);
  };
  const gelu = (x: tf.Tensor): tf.Tensor => {
    const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x)))));
    return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(inner)));
  };
  const attention = (x: tf.Tensor, own: lab.AttentionParams, mask: tf.Tensor): tf.Tensor => {
    const [q, k, v] = ([own.query, own.key, own.value] as const).map((each) =>
      tf.transpose(tf.reshape(dense(x, each), [batch, length, heads, size]), [0, 2, 1, 3]),
    ) as [tf.Tensor, tf.Tensor, tf.Tensor]; // [B, H, T, d]
    const scores = tf.add(tf.matMul(tf.div(q, Math.sqrt(size)), k, false, true), mask); // [B, H, T, T]
    const mixed = tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3]); // [B, T, H, d]
    return dense(tf.reshape(mixed, [batch, length, width]), own.output);
  };

  return tf.tidy(() => {
    const seen = Array.from({ length: length ** 2 }, (_, i) =>
      i % length <= Math.floor(i / length) ? 0 : -1e9,
    );
    const mask = tf.tensor2d(seen, [length, length]);
    const positions = tf.slice(params.positions, [0, 0], [length, width]); // [T, D]
    let x: tf.Tensor = tf.add(tf.gather(params.tokens, ids), positions); // [B, T, D]
    for (const block of params.blocks) {
      x = tf.add(x, attention(norm(x, block.attentionNorm), block.attention, mask));
      const inner = gelu(dense(norm(x, block.feedForwardNorm), block.feedForward.up)); // [B, T, F]
      x = tf.add(x, dense(inner, block.feedForward.down));
    }
    return dense(norm(x, params.finalNorm), { weight: params.tokens });
  });
  // END SOLUTION
  //| // Return [B, T, V].
  //| throw new Error('gpt2Logits is not written yet');
}

// %%
await check('capstone/model', gpt2Logits);

// %%
const modelLogits = await lab.orReference('capstone/model', gpt2Logits, (given, ids, settings) => {
  const [vocab_size, n_embd] = given.tokens.shape;
  const sizes = { vocab_size, n_embd, n_positions: given.positions.shape[0], n_layer: given.blocks.length };
  const full = lab.parseGpt2Config({ ...sizes, ...settings });
  return lab.gptLMHeadModel(given, { inputIds: ids }, full).logits;
});

// %% [markdown]
// ### Does it match?
//
// Beside the bundled model lies a file with what *transformers* computed from it: logits of three rows of stories that
// it was not trained on, and a continuation. It was written by the same script as the model, in another language and
// with another library. For a model from the hub there is no such file; then the library of this course stands in,
// which is itself compared with transformers for every family (the table of differences is `docs/parity.md`).

// %%
const matrix = (rows: number[][]): tf.Tensor2D =>
  tf.tensor2d(rows, [rows.length, rows[0]?.length ?? 0], 'int32');
const largestDifference = async (a: tf.Tensor, b: tf.Tensor): Promise<number> => {
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))));
  const [value = Number.NaN] = await difference.data();
  tf.dispose([a, b, difference]);
  return value;
};

const recorded = await lab.openSafetensors(`${folder}/parity.safetensors`).catch(() => undefined);
const recordedRows = async (name: string): Promise<number[][]> => {
  if (recorded === undefined) return [];
  const { values, shape } = await lab.readTensor(recorded, name);
  return lab.rowsOf(values, shape.at(-1) ?? 1);
};
const probe = recorded
  ? await recordedRows('in.input_ids')
  : [Array.from({ length: 24 }, (_, i) => (37 * i) % config.vocab_size)];
const expectedLogits =
  recorded === undefined
    ? lab.gptLMHeadModel(params, { inputIds: matrix(probe) }, config).logits
    : tf.tensor3d(Float32Array.from((await recordedRows('out.logits')).flat()), [
        probe.length,
        probe[0]?.length ?? 0,
        config.vocab_size,
      ]);
const farthest = await largestDifference(modelLogits(params, matrix(probe), config), expectedLogits);
await show(
  `Largest difference between these logits and those of ${recorded ? 'transformers' : 'the library'}: ` +
    `**${farthest.toExponential(1)}**. ${farthest < 1e-4 ? 'They match.' : 'They do not match.'}`,
);

// %% [markdown]
// ## Part 5 · Writing
//
// The simplest way to write: always take the likeliest token (*greedy* search). There is nothing random in it, so two
// programs that compute the same logits write the same text, and one wrong token shows at once.

// %% [exercise] capstone/greedy difficulty=3 minutes=30
// ### Exercise: going on, greedily
// Write `continueGreedily(params, prompt, settings)`: the new ids, at most `settings.maxNewTokens`. The token
// `settings.endId` stops it and is not part of the result. When the text is longer than `settings.n_positions`, show
// the model the last `n_positions` tokens only. Use `modelLogits(params, ids, settings)`: your model, or the library's
// until yours passes.
//
// The function is `async`: `await logits.data()` fetches the numbers, and what you did not make in a `tf.tidy` you
// dispose of yourself.
//
// <!-- hint -->
// Look, choose, append, and look again. When does it stop, and what does the model see when the text has grown too long?
// <!-- hint -->
// seen = the last n_positions of [...prompt, ...written]; logits [1, T, V]; row T − 1 [V]; the index of its largest
// number (`lab.argmax(row)`); end token → stop; else append; until maxNewTokens.
// <!-- hint -->
// $u_t = \arg\max_v p(v \mid u_0 \dots u_{t-1})$; Holtzman et al., 2020, section 2, on decoding by maximising
// likelihood.

// %% [answer] capstone/greedy
interface WritingSettings extends ModelSettings {
  n_positions: number;
  endId: number;
  maxNewTokens: number;
}

async function continueGreedily(
  params: StoryParams,
  prompt: number[],
  settings: WritingSettings,
): Promise<number[]> {
  // BEGIN SOLUTION
  const written: number[] = [];
  while (written.length < settings.maxNewTokens) {
    const seen = [...prompt, ...written].slice(-settings.n_positions);
    const last = tf.tidy(() => {
      const logits = modelLogits(params, tf.tensor2d([seen], [1, seen.length], 'int32'), settings);
      return tf.slice(logits, [0, seen.length - 1, 0], [1, 1, params.tokens.shape[0]]);
    });
    const token = lab.argmax(Float32Array.from(await last.data()));
    last.dispose();
    if (token === settings.endId) break;
    written.push(token);
  }
  return written;
  // END SOLUTION
  //| // The new ids.
  //| throw new Error('continueGreedily is not written yet');
}

// %%
await check('capstone/greedy', continueGreedily);

// %%
const tokenizer = await lab.loadTokenizer(folder);
const endId = typeof config.eos_token_id === 'number' ? config.eos_token_id : config.vocab_size - 1;
const idsOf = (text: string): number[] => tokenizer.encode(text, { addSpecialTokens: false }).inputIds;
const textOf = (ids: readonly number[]): string => tokenizer.decode([...ids], { skipSpecialTokens: true });
const writing = { ...config, endId, maxNewTokens: 48 };

let sameContinuation = false;
await lab.whenSolved('capstone/greedy', continueGreedily, async () => {
  const [prompt = [endId, ...idsOf('One morning')]] = await recordedRows('in.generate_input_ids');
  const [reference = []] = await recordedRows('out.generated_ids');
  const yours = await continueGreedily(params, prompt, writing);
  sameContinuation = [...prompt, ...yours].join() === reference.join();
  await show(`**${textOf(prompt)}**${textOf(yours)}`);
  if (recorded) {
    await show(
      sameContinuation
        ? `All ${yours.length} tokens are those that transformers wrote.`
        : 'transformers wrote something else.',
    );
  }
});

// %% [markdown]
// ## Part 6 · How good is it?
//
// A figure about a model is worth something only if one can say how it was had. We measure four things: how well the
// model predicts, whether it knows how sure it may be, how fast it is, and how much memory it takes. Each goes into a
// list, with one sentence on how it was measured. At the end the list becomes the model card.

// %%
interface Measurement {
  value: number;
  digits: number;
  how: string;
}
const measurements: Record<string, Measurement> = {
  parameters: { value: parameters, digits: 0, how: 'counted in the loaded model' },
  'file-bytes': { value: fileBytes.length, digits: 0, how: 'size of model.safetensors' },
  'memory-bytes': { value: parameterBytes, digits: 0, how: 'growth of the tensor memory while loading' },
  difference: {
    value: farthest,
    digits: 7,
    how: `largest difference of ${probe.flat().length} rows of logits from those of ${recorded ? 'transformers' : 'the library'}`,
  },
};

const storyTexts = (await lab.loadStories()).map((sentences) => sentences.join(' '));
const heldOut = storyTexts.slice(-40); // the training of the bundled model never saw the last 200
const streamOf = (texts: readonly string[]): number[] => texts.flatMap((text) => [endId, ...idsOf(text)]);
const heldOutIds = streamOf(heldOut);
console.log(
  `${heldOut.length} stories that the bundled model was not trained on: ${heldOutIds.length} tokens`,
);

// %% [markdown]
// ### Perplexity of a long text
//
// The **loss** of a token is $-\ln p$, where p is the probability that the model gave it (in *nats*: natural
// logarithm). The **perplexity** of a text is $e$ to the mean loss of its tokens: among how many equally likely tokens
// the model hesitates.
//
// A text is longer than the T max tokens a model can see, so it is read in **windows**. Cut it into pieces, and the
// first tokens of each piece are predicted from hardly anything; the model looks worse than it is. So the windows
// overlap: each shows a full window of text, but only the tokens that no window before has scored count. By how many
// tokens a window moves on is its **stride**: small is more exact, large is faster.
//
// ```
//   tokens      0 1 2 3 4 5 6 7 8 9 …          window 6, stride 4
//   window 1    . ▣ ▣ ▣ ▣ ▣                    ▣ scored   . only shown
//   window 2            . . ▣ ▣ ▣ ▣
// ```
//
// The very first token of the text has nothing before it and is never scored.

// %% [exercise] capstone/strided-windows difficulty=3 minutes=25
// ### Exercise: windows
// Write `stridedWindows(length, window, stride)`, `stride` < `window`, for a text of `length` tokens. Return `{begin,
// end, scoreFrom}` for each window: the first token shown, the place **after** the last one shown, the first one
// scored. Every token but token 0 is scored exactly once.
//
// The first window shows the beginning, up to `window` tokens. Each later one ends `stride` tokens after the one
// before, but never beyond the text, and shows `window` tokens. If there is nothing to score, there is no window.
//
// `stridedWindows(10, 6, 4)` → `[{begin: 0, end: 6, scoreFrom: 1}, {begin: 4, end: 10, scoreFrom: 6}]`
//
// <!-- hint -->
// Keep one number: the first token not scored yet. Where does the window end that scores from there on?
// <!-- hint -->
// from = 1; while from < length: end = min(length, window at first, then from + stride); begin = max(0, end − window);
// push {begin, end, scoreFrom: from}; from = end.
// <!-- hint -->
// Every token t ≥ 1 has exactly one window with scoreFrom ≤ t < end. Baevski and Auli, 2019, *Adaptive input
// representations for neural language modeling*, on the context that tokens get when windows overlap.

// %% [answer] capstone/strided-windows
interface TextWindow {
  begin: number;
  end: number;
  scoreFrom: number;
}

function stridedWindows(length: number, window: number, stride: number): TextWindow[] {
  // BEGIN SOLUTION
  const windows: TextWindow[] = [];
  for (let from = 1; from < length; from = windows.at(-1)?.end ?? length) {
    const end = Math.min(length, windows.length === 0 ? window : from + stride);
    windows.push({ begin: Math.max(0, end - window), end, scoreFrom: from });
  }
  return windows;
  // END SOLUTION
  //| // One object for each window.
  //| throw new Error('stridedWindows is not written yet');
}

// %%
await check('capstone/strided-windows', stridedWindows);

// %% [markdown]
// The perplexity of two models can be compared only if both cut text into the same tokens: with longer tokens, each is
// harder. **Bits per byte** does not depend on the tokenizer: the sum of all losses, turned from nats into bits,
// divided by the bytes of the text.
//
// $$\text{perplexity} = \exp\Big(\frac1N\sum_{t} \ell_t\Big), \qquad \text{bits per byte} = \frac{1}{\ln 2}\cdot\frac{\sum_t \ell_t}{\text{bytes}}$$
//
// (Jurafsky and Martin, [Speech and language processing](https://web.stanford.edu/~jurafsky/slp3/), chapter on n-gram
// language models; Gao et al., 2020, [The Pile](https://arxiv.org/abs/2101.00027), section 3.1.)

// %% [exercise] capstone/perplexity difficulty=2 minutes=20
// ### Exercise: perplexity and bits per byte
// Write `measureText(windows, text)`: `windows` holds the losses of the scored tokens, in nats, a list for each window;
// `text` is the text they belong to. Return `{loss, perplexity, bitsPerByte}`, `loss` being the mean over all tokens.
// Bytes are those of UTF-8.
//
// <!-- hint -->
// One sum serves both figures. What is it divided by in each case?
// <!-- hint -->
// total = sum of all losses; loss = total / number of tokens; perplexity = Math.exp(loss); bitsPerByte = total /
// Math.LN2 / new TextEncoder().encode(text).length.
// <!-- hint -->
// The formulas above. The exponential comes last and once: $e^{\text{mean}}$ is not the mean of $e^{\ell}$.

// %% [answer] capstone/perplexity
function measureText(
  windows: number[][],
  text: string,
): { loss: number; perplexity: number; bitsPerByte: number } {
  // BEGIN SOLUTION
  const losses = windows.flat();
  const total = losses.reduce((sum, loss) => sum + loss, 0);
  const bytes = new TextEncoder().encode(text).length;
  const loss = total / losses.length;
  return { loss, perplexity: Math.exp(loss), bitsPerByte: total / Math.LN2 / bytes };
  // END SOLUTION
  //| // Return {loss, perplexity, bitsPerByte}.
  //| throw new Error('measureText is not written yet');
}

// %%
await check('capstone/perplexity', measureText);

// %% [markdown]
// Now read the held-out stories. The next cell keeps more than the losses: for each scored token also the probability
// of the model's first guess, whether that guess was right, and at which place of its window it stood. With the bundled
// model there is a figure to compare with: `reference.json`, measured by transformers.

// %%
interface Reading {
  losses: number[][];
  confidences: number[];
  right: boolean[];
  places: number[];
}

/** Reads a text in windows and looks at every token that they score. */
const readText = async (model: StoryParams, ids: number[], windows: TextWindow[]): Promise<Reading> => {
  const reading: Reading = { losses: [], confidences: [], right: [], places: [] };
  for (const { begin, end, scoreFrom } of windows) {
    const shown = ids.slice(begin, end);
    const parts = tf.tidy(() => {
      const logits = modelLogits(model, matrix([shown]), config);
      const scored = tf.slice(logits, [0, scoreFrom - begin - 1, 0], [1, end - scoreFrom, config.vocab_size]);
      const probabilities = tf.reshape(tf.softmax(scored), [end - scoreFrom, config.vocab_size]);
      const targets = matrix([ids.slice(scoreFrom, end)]);
      const losses = tf.reshape(lab.tokenLosses(scored, targets), [-1]);
      return [losses, tf.max(probabilities, 1), tf.argMax(probabilities, 1)];
    });
    const [losses = [], sure = [], guesses = []] = await Promise.all(
      parts.map(async (part) => Array.from(await part.data())),
    );
    tf.dispose(parts);
    reading.losses.push(losses);
    reading.confidences.push(...sure);
    reading.right.push(...guesses.map((guess, i) => guess === ids[scoreFrom + i]));
    reading.places.push(...losses.map((_, i) => scoreFrom - begin + i));
  }
  return reading;
};

const WINDOW = Math.min(128, config.n_positions);
let reading: Reading | undefined;
await lab.whenSolved('capstone/strided-windows', stridedWindows, () =>
  lab.whenSolved('capstone/perplexity', measureText, async () => {
    reading = await readText(params, heldOutIds, stridedWindows(heldOutIds.length, WINDOW, WINDOW / 2));
    const text = heldOut.join('');
    const measured = measureText(reading.losses, text);
    const how = `${heldOut.length} held-out stories, ${reading.right.length} tokens in windows of ${WINDOW}, stride ${WINDOW / 2}`;
    measurements.perplexity = { value: measured.perplexity, digits: 3, how };
    measurements['bits-per-byte'] = { value: measured.bitsPerByte, digits: 3, how };
    const rows = [{ measured: 'here', ...measured }];
    const reference = await lab.readJsonObject(`${folder}/reference.json`).catch(() => undefined);
    if (reference !== undefined) {
      const { loss, perplexity, bits_per_byte } = reference;
      rows.push({
        measured: 'by transformers',
        loss: Number(loss),
        perplexity: Number(perplexity),
        bitsPerByte: Number(bits_per_byte),
      });
    }
    await show(lab.table(rows));
  }),
);

// %% [markdown]
// Why do windows overlap? Let us look at the mean loss by the number of tokens that the model saw before.

// %%
if (reading !== undefined) {
  const { losses, places } = reading;
  const flat = losses.flat();
  const step = Math.ceil(WINDOW / 16);
  const groups = Array.from({ length: 16 }, (_, g) =>
    flat.filter((_loss, i) => Math.floor((places[i] ?? 0) / step) === g),
  );
  // Only the first window scores tokens with little context: one token a place. So a second reading, piece by piece.
  const pieces = await readText(
    params,
    heldOutIds,
    Array.from({ length: Math.floor(heldOutIds.length / WINDOW) }, (_, i) => ({
      begin: i * WINDOW,
      end: (i + 1) * WINDOW,
      scoreFrom: i * WINDOW + 1,
    })),
  );
  const cut = pieces.losses.flat();
  const inPieces = Array.from({ length: 16 }, (_, g) =>
    cut.filter((_loss, i) => Math.floor((pieces.places[i] ?? 0) / step) === g),
  );
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  // A mean of fewer than 20 tokens says nothing: no point is drawn.
  const curve = (all: number[][]): [number, number][] =>
    all.flatMap((values, g) => (values.length < 20 ? [] : [[(g + 0.5) * step, mean(values)]]));
  await show(
    lab.lineChart(
      [
        { name: 'cut into pieces', points: curve(inPieces) },
        { name: 'overlapping windows', points: curve(groups) },
      ],
      {
        title: 'Mean loss by the tokens seen before',
        x: 'tokens seen before',
        y: 'loss in nats',
        marks: true,
      },
    ),
  );
  await show(
    `Perplexity in pieces: **${Math.exp(mean(cut)).toFixed(3)}**, in overlapping windows: **${Math.exp(mean(flat)).toFixed(3)}**.`,
  );
} else await show('This cell needs your stridedWindows and measureText.');

// %% [markdown]
// ### Does it know how sure it may be?
//
// The probability of the first guess is the model's **confidence**. It is honest, or *calibrated*, if of all guesses
// made with 70% confidence about 70% are right. To measure it, sort the guesses into bins by confidence and compare, in
// each bin, the mean confidence with the share that was right, its accuracy. The **expected calibration error** is the
// mean gap, each bin weighed by the share of guesses in it:
//
// $$\text{ECE} = \sum_{b} \frac{n_b}{N}\,\bigl|\operatorname{acc}(b) - \operatorname{conf}(b)\bigr|$$
//
// (Guo, Pleiss, Sun and Weinberger, 2017, [On calibration of modern neural networks](https://arxiv.org/abs/1706.04599),
// equation 3.)

// %% [exercise] capstone/calibration difficulty=3 minutes=30
// ### Exercise: calibration
// Write `calibrationOf(confidences, right, bins)`. Bin b of `bins` holds the confidences from b / bins up to, but
// without, (b + 1) / bins; the last one includes 1. Return `{bins: [{count, confidence, accuracy}, …], error}`; an
// empty bin has 0 for all three.
//
// <!-- hint -->
// Sort the guesses by how sure the model was. Among those it was 70% sure of, how many should be right?
// <!-- hint -->
// For each guess: bin = min(bins − 1, ⌊confidence · bins⌋). For each bin: count, mean confidence, share right. error =
// Σ count / total ·
// |accuracy − confidence|.
// <!-- hint -->
// The formula above; $n_b$ = count, N = all guesses. Guo et al., 2017, section 2.

// %% [answer] capstone/calibration
interface CalibrationBin {
  count: number;
  confidence: number;
  accuracy: number;
}

function calibrationOf(
  confidences: number[],
  right: boolean[],
  bins: number,
): { bins: CalibrationBin[]; error: number } {
  // BEGIN SOLUTION
  const found = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, accuracy: 0 }));
  for (const [i, confidence] of confidences.entries()) {
    const bin = found[Math.min(bins - 1, Math.floor(confidence * bins))];
    if (bin === undefined) continue;
    bin.count++;
    bin.confidence += confidence; // sums at first
    bin.accuracy += right[i] === true ? 1 : 0;
  }
  let error = 0;
  for (const bin of found) {
    if (bin.count === 0) continue;
    bin.confidence /= bin.count;
    bin.accuracy /= bin.count;
    error += (bin.count / confidences.length) * Math.abs(bin.accuracy - bin.confidence);
  }
  return { bins: found, error };
  // END SOLUTION
  //| // Return {bins, error}.
  //| throw new Error('calibrationOf is not written yet');
}

// %%
await check('capstone/calibration', calibrationOf);

// %%
await lab.whenSolved('capstone/calibration', calibrationOf, async () => {
  if (reading === undefined) return show('This cell needs the reading above.');
  const { bins, error } = calibrationOf(reading.confidences, reading.right, 10);
  const hits = reading.right.filter(Boolean).length;
  const how = `first guesses at ${reading.right.length} held-out tokens`;
  measurements.accuracy = { value: (100 * hits) / reading.right.length, digits: 1, how };
  measurements['calibration-error'] = { value: error, digits: 4, how: `${how}, ten bins` };
  await show(
    lab.table(bins.map(({ count, ...bin }, b) => ({ bin: `${b / 10} to ${(b + 1) / 10}`, count, ...bin }))),
  );
  await show(
    lab.lineChart(
      [
        {
          name: 'this model',
          points: bins
            .filter(({ count }) => count > 0)
            .map((bin): [number, number] => [bin.confidence, bin.accuracy]),
        },
        {
          name: 'perfectly calibrated',
          points: [
            [0, 0],
            [1, 1],
          ],
        },
      ],
      {
        title: `Expected calibration error ${error.toFixed(4)}`,
        x: 'confidence',
        y: 'share right',
        marks: true,
      },
    ),
  );
});

// %% [markdown]
// Look at the counts before you believe a point of the curve: a bin with ten guesses says little.
//
// ### How fast is it?
//
// **Latency** is the time that one answer takes, **throughput** how many tokens come in a second. Run the same work
// several times. The first runs are slower (memory is being set up, code compiled): they are **warm-up** and do not
// count. Of the others give the **median** (half of the runs are faster) and a high **percentile**: p95 is the time
// within which 95% of the runs ended. It tells what a user who is unlucky will see.

// %% [exercise] capstone/timing difficulty=2 minutes=20
// ### Exercise: latency and throughput
// Write `summariseTimes(milliseconds, tokens, warmUp)`: times of runs in the order in which they were made, tokens that
// **each** run wrote, how many runs at the beginning do not count. Return `{median, p95, tokensPerSecond}`; median and
// p95 in milliseconds. With n runs that count, p95 is the time at place ⌈0.95·n⌉ of the sorted list, counted from 1.
//
// <!-- hint -->
// Which runs count? And which of the three figures needs the runs in order?
// <!-- hint -->
// runs = all but the first warmUp; sorted by number; median = the middle one, or the mean of the middle two; p95 =
// sorted[⌈0.95·n⌉ − 1]; tokensPerSecond = 1000 · tokens · n / sum of the runs.
// <!-- hint -->
// Nearest rank: the p-th percentile is the value at place ⌈p·n⌉ of the sorted list (Hyndman and Fan, 1996, *Sample
// quantiles in statistical packages*, definition 1).

// %% [answer] capstone/timing
function summariseTimes(
  milliseconds: number[],
  tokens: number,
  warmUp: number,
): { median: number; p95: number; tokensPerSecond: number } {
  // BEGIN SOLUTION
  const runs = milliseconds.slice(warmUp).sort((a, b) => a - b);
  const n = runs.length;
  const at = (place: number): number => runs[place] ?? Number.NaN;
  const total = runs.reduce((sum, run) => sum + run, 0);
  return {
    median: n % 2 === 1 ? at((n - 1) / 2) : (at(n / 2 - 1) + at(n / 2)) / 2,
    p95: at(Math.ceil(0.95 * n) - 1),
    tokensPerSecond: (1000 * tokens * n) / total,
  };
  // END SOLUTION
  //| // Return {median, p95, tokensPerSecond}.
  //| throw new Error('summariseTimes is not written yet');
}

// %%
await check('capstone/timing', summariseTimes);

// %%
await lab.whenSolved('capstone/timing', summariseTimes, () =>
  lab.whenSolved('capstone/greedy', continueGreedily, async () => {
    const [warmUp, runs, tokens] = [2, lab.stepsFor(12, 4), 24];
    const times: number[] = [];
    for (let run = 0; run < warmUp + runs; run++) {
      const started = performance.now();
      // No token has the id −1, so every run writes all of them.
      await continueGreedily(params, [endId, ...idsOf('Tom went to')], {
        ...writing,
        endId: -1,
        maxNewTokens: tokens,
      });
      times.push(performance.now() - started);
    }
    const { median, p95, tokensPerSecond } = summariseTimes(times, tokens, warmUp);
    const how = `${runs} greedy continuations of ${tokens} tokens without a cache, on ${backend.name}: ${backend.device}`;
    measurements['median-ms'] = { value: median, digits: 0, how };
    measurements['p95-ms'] = { value: p95, digits: 0, how };
    measurements['tokens-per-second'] = { value: tokensPerSecond, digits: 0, how };
    await show(lab.table([{ 'median (ms)': median, 'p95 (ms)': p95, 'tokens a second': tokensPerSecond }]));
  }),
);

// %% [markdown]
// ## Part 7 · Fine-tuning
//
// Our model knows stories. What about the reviews of chapter 03? We measure its perplexity on reviews it has not seen,
// train it a little further on others (*fine-tuning*), and measure again. And we measure the stories again as well:
// what a model learns last can push out what it knew before. This is called **catastrophic forgetting** (McCloskey and
// Cohen, 1989).
//
// The model that is trained is yours: its gradients run through `gpt2Logits`. The loaded parameters stay as they are; a
// copy is trained. A model of more than five million parameters is too slow for this on most laptops: then the cell
// makes only a few steps.

// %%
const reviews = await lab.loadReviews();
const LENGTH = Math.min(96, config.n_positions);
const reviewRows = lab.packBlocks(
  reviews.train.map(({ text }) => idsOf(text)),
  LENGTH,
  endId,
);
const reviewTest = lab.packBlocks(
  reviews.test.slice(0, 80).map(({ text }) => idsOf(text)),
  LENGTH,
  endId,
);
const storyTest = lab.packBlocks(heldOut.map(idsOf), LENGTH, endId);

const lossOn = (now: StoryParams, batch: number[][]): tf.Scalar => {
  const ids = matrix(batch);
  return lab.nextTokenLoss(modelLogits(now, ids, config), ids);
};
const perplexityOn = async (now: StoryParams, rows: number[][]): Promise<number> => {
  const loss = tf.tidy(() => lossOn(now, rows.slice(0, 24)));
  const [value = Number.NaN] = await loss.data();
  loss.dispose();
  return Math.exp(value);
};
const before = {
  reviews: await perplexityOn(params, reviewTest),
  stories: await perplexityOn(params, storyTest),
};
console.log(`${reviewRows.length} rows of ${LENGTH} tokens of reviews to learn from`);
console.log(`one of them: ${textOf(reviewRows[0] ?? [])}`);

// %%
const tuned = lab.trainable(lab.cloneParameters(params));
const STEPS = parameters > 5e6 ? 5 : lab.stepsFor(120, 12);
const BATCH = 8;
const curve = lab.liveLoss({
  title: 'Fine-tuning on reviews',
  names: ['next token'],
  level: { value: Math.log(config.vocab_size), name: 'guessing' },
});
const optimizer = lab.adamW({ weightDecay: 0.01 });
await lab.train({
  params: tuned,
  loss: (now, batch: number[][]) => lossOn(now, batch),
  *batches(epoch) {
    const mixed = lab.shuffle(reviewRows, lab.createRng(`order ${epoch}`));
    for (let start = 0; start + BATCH <= mixed.length; start += BATCH)
      yield mixed.slice(start, start + BATCH);
  },
  optimizer,
  schedule: lab.cosineSchedule({ peak: 1e-3, warmupSteps: 5, totalSteps: STEPS, floor: 0.1 }),
  clipNorm: 1,
  steps: STEPS,
  onStep: ({ step, loss }) => curve.add(step, { 'next token': loss }),
  progress: lab.progressBar('fine-tuning'),
});
await curve.finish();
optimizer.dispose();
const after = {
  reviews: await perplexityOn(tuned, reviewTest),
  stories: await perplexityOn(tuned, storyTest),
};

// %%
await show(
  lab.table(
    [
      { text: 'held-out reviews', before: before.reviews, after: after.reviews },
      { text: 'held-out stories', before: before.stories, after: after.stories },
    ],
    `Perplexity before and after ${STEPS} steps on reviews`,
  ),
);
await show(
  lab.barChart(
    [
      { label: 'reviews, before', value: Math.log(before.reviews) },
      { label: 'reviews, after', value: Math.log(after.reviews) },
      { label: 'stories, before', value: Math.log(before.stories) },
      { label: 'stories, after', value: Math.log(after.stories) },
    ],
    { title: 'Loss on texts that training did not have', value: 'nats a token' },
  ),
);
const howTuned = `24 rows of ${LENGTH} tokens each, before and after ${STEPS} steps of ${BATCH} rows of reviews`;
measurements['reviews-before'] = { value: before.reviews, digits: 1, how: howTuned };
measurements['reviews-after'] = { value: after.reviews, digits: 1, how: howTuned };
measurements['stories-before'] = { value: before.stories, digits: 2, how: howTuned };
measurements['stories-after'] = { value: after.stories, digits: 2, how: howTuned };

await lab.whenSolved('capstone/greedy', continueGreedily, async () => {
  const beginnings = ['The film', 'We ate', 'I hated'];
  const rows: { beginning: string; before: string; after: string }[] = [];
  for (const beginning of beginnings) {
    const prompt = [endId, ...idsOf(beginning)];
    const short = { ...writing, maxNewTokens: 30 };
    rows.push({
      beginning,
      before: textOf(await continueGreedily(params, prompt, short)),
      after: textOf(await continueGreedily(tuned, prompt, short)),
    });
  }
  await show(lab.table(rows, 'How it goes on'));
});
lab.disposeParameters(tuned);

// %% [markdown]
// Look at the first figure: on reviews the loaded model is far **worse** than guessing among all V tokens alike, which
// would give the perplexity V. It is sure of what comes next, and wrong. A model outside of what it knows does not
// become careful.
//
// It learned the new kind of text within a minute or two, and lost part of the old. Three remedies are in use: mix old
// text into the new, take smaller steps, or train only a few new parameters and leave the loaded ones alone (Hu et al.,
// 2021, [LoRA](https://arxiv.org/abs/2106.09685)). Try the first: let `batches` yield rows of stories too.

// %% [markdown]
// ## Part 8 · The model card
//
// A **model card** says what a model is, what it is for and not for, and how good it is, measured on what (Mitchell et
// al., 2019, [Model cards for model reporting](https://arxiv.org/abs/1810.03993)). Most errors in such texts are
// figures that were typed: copied from an older version, rounded in a hurry, or never measured. So ours are not typed.
// The text has places such as `{{perplexity}}`, and a generator fills in what was measured, with a footnote on how.
// Where there is no measurement there is no card.
//
// The words of the template below are about the model that came along. If you loaded another one, change them.

// %% [exercise] capstone/model-card difficulty=3 minutes=35
// ### Exercise: a card without invented figures
// Write `modelCard(template, measurements)`, which returns `{text, refused}`.
//
// **Refused** are, in this order, each once:
// 1. names in `{{…}}` (letters, digits, `_` and `-`) without a measurement, or whose `value` is not a finite number, or whose `how` is
//    empty or blank;
// 2. **typed figures**: words of the template (cut at white space, after taking out the places) that have a digit and no letter. `GPT-2`
//    and `F16` have letters and are names.
//
// If anything is refused, `text` is `''`. Else each `{{name}}` becomes the value with its `digits` after the point
// (`toFixed`) and `[^name]`; then come an empty line and, for each name in the order of its first use, the line
// `[^name]: how`.
//
// `'Loss {{loss}}.'` → `'Loss 0.34[^loss].\n\n[^loss]: 40 stories'`
//
// <!-- hint -->
// Look for reasons to refuse first. Only when there is none, write the card.
// <!-- hint -->
// names = the different {{name}} in order; refused = bad names, then the different words with a digit and no letter.
// None: each {{name}} → value.toFixed(digits) + [^name]; then '' and, for each name, [^name]: how; joined with '\n'.
// <!-- hint -->
// Useful: `template.matchAll(/\{\{([\w-]+)\}\}/g)`, `/\p{L}/u` for a letter, `Number.isFinite`, `new Set(list)` for the
// different ones. Mitchell et al., 2019, section 4: metrics and how they were had belong together.

// %% [answer] capstone/model-card
function modelCard(
  template: string,
  given: Record<string, Measurement>,
): { text: string; refused: string[] } {
  // BEGIN SOLUTION
  const place = /\{\{([\w-]+)\}\}/g;
  const names = [...new Set([...template.matchAll(place)].map(([, name = '']) => name))];
  const found = (name: string): Measurement | undefined =>
    Object.hasOwn(given, name) ? given[name] : undefined;
  const isSound = (one: Measurement | undefined): boolean =>
    one !== undefined && Number.isFinite(one.value) && one.how.trim() !== '';
  const words = template.replaceAll(place, ' ').split(/\s+/);
  const typed = words.filter((word) => /\d/.test(word) && !/\p{L}/u.test(word));
  const refused = [...names.filter((name) => !isSound(found(name))), ...new Set(typed)];
  if (refused.length > 0) return { text: '', refused };
  const body = template.replaceAll(place, (_, name: string) => {
    const one = found(name);
    return `${one?.value.toFixed(one.digits)}[^${name}]`;
  });
  return { text: [body, '', ...names.map((name) => `[^${name}]: ${found(name)?.how}`)].join('\n'), refused };
  // END SOLUTION
  //| // Return {text, refused}.
  //| throw new Error('modelCard is not written yet');
}

// %%
await check('capstone/model-card', modelCard);

// %%
const template = `### ${modelName}

**What it is.** A GPT-2 with {{parameters}} parameters, {{file-bytes}} bytes on disk and {{memory-bytes}} bytes in memory as float32.

**What it is for.** Learning how checkpoints work. It continues short stories and knows nothing else: do not ask it for facts.

**Is it loaded right?** Its logits differ from the reference by {{difference}} at most.

**How well it predicts.** On held-out stories: perplexity {{perplexity}}, bits per byte {{bits-per-byte}}. Its first guess is right in {{accuracy}} of a hundred cases; its calibration error is {{calibration-error}}.

**How fast it is.** Half of the runs took less than {{median-ms}} ms, all but a few less than {{p95-ms}} ms: {{tokens-per-second}} tokens a second.

**What fine-tuning did.** On reviews the perplexity fell from {{reviews-before}} to {{reviews-after}}; on stories it went from {{stories-before}} to {{stories-after}}.

**Limits.** One kind of text, made by a program; one language; never tested for anything that matters.`;

await lab.whenSolved('capstone/model-card', modelCard, async () => {
  const { text, refused } = modelCard(template, measurements);
  await show(refused.length === 0 ? text : `No card: there is no measurement for ${refused.join(', ')}.`);
  const boast = modelCard('It is right in 99% of all cases, as {{study}} shows.', measurements);
  await show(`And a boast? Refused: ${boast.refused.join(', ')}.`);
});

// %% [markdown]
// Read the card again as somebody who wants to use the model. What is missing? For whom might it work badly? A card
// that says so is better than one with more digits.
//
// ## Quiz

// %%
await show(
  lab.quiz([
    {
      ask: 'The first eight bytes of a safetensors file are 16, 1, 0, 0, 0, 0, 0, 0. How long is the header?',
      choices: [
        { text: '272 bytes', right: true, why: 'Little-endian: 16 + 1·256.' },
        { text: '17 bytes', why: 'The second byte counts 256 times as much as the first.' },
        { text: 'More than a billion billion bytes', why: 'That is the same bytes read as big-endian.' },
      ],
    },
    {
      ask: 'Training a large model overflows in float16 but not in bfloat16. Why?',
      choices: [
        {
          text: 'bfloat16 has the exponent of float32; float16 ends at 65504.',
          right: true,
          why: 'bfloat16 gives up fineness instead: 7 bits of fraction against 10.',
        },
        { text: 'bfloat16 has more bits.', why: 'Both have 16.' },
        { text: 'bfloat16 has a finer fraction.', why: 'It is coarser, by three bits.' },
      ],
    },
    {
      ask: 'You forget to turn the square weight c_proj [D, D]. What happens?',
      choices: [
        { text: 'An error about shapes.', why: 'The shapes agree: both sides are D.' },
        {
          text: 'The model runs and writes nonsense.',
          right: true,
          why: 'Only a comparison of numbers with the reference shows it.',
        },
        {
          text: 'Nothing: the matrix is symmetric.',
          why: 'A trained weight is not symmetric.',
        },
      ],
    },
    {
      ask: 'A checkpoint holds a tensor that your model has no place for. What should a loader do?',
      choices: [
        {
          text: 'Pass over it: the model works without.',
          why: 'Perhaps it is the one that tells apart this architecture and yours.',
        },
        {
          text: 'Refuse, and name it, unless it is known to carry nothing.',
          right: true,
          why: 'The old causal masks of GPT-2 are known to carry nothing; an unknown bias is not.',
        },
        { text: 'Add it to the nearest layer.', why: 'Then the model computes something nobody trained.' },
      ],
    },
    {
      ask: 'Why must the perplexity of a text not be the mean of the perplexities of its windows?',
      choices: [
        {
          text: 'The exponential of a mean is not the mean of exponentials, and windows score different numbers of tokens.',
          right: true,
          why: 'One hard window would count far too much.',
        },
        { text: 'It would be the same, only slower.', why: 'It is larger as soon as the windows differ.' },
        {
          text: 'Perplexities cannot be added.',
          why: 'They can be added like all numbers; the sum just means nothing.',
        },
      ],
    },
    {
      ask: 'Model A has perplexity 20 with 50,000 tokens in its vocabulary, model B 12 with 640. Which predicts better?',
      choices: [
        { text: 'B, its perplexity is lower.', why: 'Its tokens are shorter, and each is easier to guess.' },
        {
          text: 'One cannot say; compare bits per byte on the same text.',
          right: true,
          why: 'Bytes are the same for both, tokens are not.',
        },
        { text: 'A, its vocabulary is larger.', why: 'A vocabulary alone predicts nothing.' },
      ],
    },
    {
      ask: 'Of all guesses with 90% confidence, 60% are right. What is this model?',
      choices: [
        { text: 'Well calibrated.', why: 'Then 90% would be right.' },
        {
          text: 'Too sure of itself.',
          right: true,
          why: 'Its accuracy lies 30 points below its confidence.',
        },
        { text: 'Not sure enough.', why: 'Then more would be right than it claims.' },
      ],
    },
    {
      ask: 'The reference and your model differ by 3e-6 in their logits. What do you do?',
      choices: [
        {
          text: 'Go on: that is the rounding of 32-bit numbers.',
          right: true,
          why: 'Another order of the same sums costs the last digits. A real mistake shows from 1e-4 up.',
        },
        { text: 'Look for the mistake.', why: 'There is none to find: no mistake is that small everywhere.' },
        {
          text: 'Round both until they agree.',
          why: 'Then you would no longer see a mistake that comes later.',
        },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - The [safetensors format](https://github.com/huggingface/safetensors#format), one page.
// - Micikevicius et al., 2018, [Mixed precision training](https://arxiv.org/abs/1710.03740): how to train with 16 bits.
// - Gao et al., 2020, [The Pile](https://arxiv.org/abs/2101.00027), on bits per byte.
// - Guo et al., 2017, [On calibration of modern neural networks](https://arxiv.org/abs/1706.04599).
// - Mitchell et al., 2019, [Model cards for model reporting](https://arxiv.org/abs/1810.03993).
//
// This was the last chapter. You can now open a model, rebuild it, and say how good it is, with numbers you measured
// yourself.
