import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Config {
  vocab_size: number;
  n_positions: number;
  n_embd: number;
  n_layer: number;
  n_inner: number;
}

type Shapes = Record<string, number[]>;
type Args = [Shapes, Config];

interface Match {
  /** full name → name in the file */
  places: Record<string, string>;
  missing: string[];
  unused: string[];
  misshapen: string[];
}

const PREFIX = 'transformer.';
const BUFFER = /\.attn\.(masked_)?bias$/;

interface Rules {
  linear?: boolean;
  biases?: boolean;
  square?: boolean;
  head?: boolean;
  prefixed?: 'either' | 'always' | 'never';
  buffer?: RegExp;
  sameShape?: (a: readonly number[], b: readonly number[]) => boolean;
  unused?: boolean;
  lastLayer?: number;
}

/** Names and shapes of a GPT-2, by the rules given. */
function expectedShapes(config: Config, rules: Rules = {}): Shapes {
  const { linear = false, biases = true, square = false, head = false, lastLayer = config.n_layer } = rules;
  const { n_embd: width, n_inner: inner } = config;
  const shapes: Shapes = {
    'wte.weight': [config.vocab_size, width],
    'wpe.weight': [config.n_positions, width],
  };
  const norm = (name: string): void => {
    shapes[`${name}.weight`] = [width];
    shapes[`${name}.bias`] = [width];
  };
  const conv = (name: string, into: number, out: number): void => {
    shapes[`${name}.weight`] = linear ? [out, into] : [into, out];
    if (biases) shapes[`${name}.bias`] = [out];
  };
  for (let i = 0; i < lastLayer; i++) {
    norm(`h.${i}.ln_1`);
    conv(`h.${i}.attn.c_attn`, width, square ? width : 3 * width);
    conv(`h.${i}.attn.c_proj`, width, width);
    norm(`h.${i}.ln_2`);
    conv(`h.${i}.mlp.c_fc`, width, inner);
    conv(`h.${i}.mlp.c_proj`, inner, width);
  }
  norm('ln_f');
  const named = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [PREFIX + name, shape]));
  return head ? { ...named, 'lm_head.weight': [config.vocab_size, width] } : named;
}

/** Matching by the rules given: what the mutants vary. */
function match(file: Shapes, config: Config, rules: Rules = {}): Match {
  const { prefixed = 'either', unused = true, buffer = BUFFER } = rules;
  const { sameShape = (a, b) => a.join() === b.join() } = rules;
  const result: Match = { places: {}, missing: [], unused: [], misshapen: [] };
  const taken = new Set<string>();
  for (const [name, shape] of Object.entries(expectedShapes(config, rules))) {
    const spellings = [
      ...(prefixed === 'never' ? [] : [name]),
      ...(prefixed === 'always' ? [] : [name.slice(PREFIX.length)]),
    ];
    const place = spellings.find((spelling) => Object.hasOwn(file, spelling));
    if (place === undefined) {
      result.missing.push(name);
      continue;
    }
    taken.add(place);
    if (sameShape(file[place] ?? [], shape)) result.places[name] = place;
    else result.misshapen.push(name);
  }
  if (unused) result.unused = Object.keys(file).filter((name) => !taken.has(name) && !buffer.test(name));
  for (const list of [result.missing, result.unused, result.misshapen]) list.sort();
  return result;
}

interface FileOptions {
  bare?: boolean;
  buffers?: boolean;
  without?: number;
  strangers?: readonly string[];
  crooked?: boolean;
}

/** A file for a drawn configuration, with what is wrong in it. All sizes are distinct. */
function inputs(draw: Draw, layers: number, options: FileOptions = {}): Args {
  const { bare = false, buffers = false, without = 0, strangers = [], crooked = false } = options;
  const width = 4 * (2 + draw.rng.integer(4));
  const config = {
    vocab_size: 101 + draw.rng.integer(100),
    n_positions: 50 + draw.rng.integer(20),
    n_embd: width,
    n_layer: layers,
    n_inner: 2 * width + 6,
  };
  const entries = Object.entries(expectedShapes(config));
  for (let i = 0; i < without; i++) entries.splice(draw.rng.integer(entries.length), 1);
  const file: Shapes = {};
  for (const [name, shape] of entries) file[bare ? name.slice(PREFIX.length) : name] = shape;
  const prefix = bare ? '' : PREFIX;
  if (crooked) {
    // One turned, one of another size, one of another rank: always present, whatever was taken out.
    file[`${prefix}h.0.mlp.c_fc.weight`] = [config.n_inner, width];
    file[`${prefix}wpe.weight`] = [config.n_positions + 1, width];
    file[`${prefix}ln_f.weight`] = [1, width];
  }
  if (buffers) {
    for (let i = 0; i < layers; i++) {
      file[`${prefix}h.${i}.attn.bias`] = [1, 1, config.n_positions, config.n_positions];
      file[`${prefix}h.${i}.attn.masked_bias`] = [];
    }
  }
  for (const name of strangers) file[prefix + name] = [width, 3];
  return [file, config];
}

export default defineExercise<Args>({
  id: 'capstone/match-weights',
  title: 'Names and shapes of a GPT-2',
  points: 4,
  entry: 'matchWeights',
  difficulty: 3,
  minutes: 40,
  signature:
    'matchWeights(file: Record<string, number[]> /* name → shape */, config: {vocab_size, n_positions, n_embd, n_layer, n_inner: number}): {places: Record<string, string> /* full name → name in the file */; missing: string[]; unused: string[]; misshapen: string[]}  // lists sorted with sort()',
  parameters: ['file', 'config'],
  tolerance: EXACT,
  reference: (file, config) => match(file, config),
  variants: [
    {
      name: 'the file brought to full names first',
      implementation: (file, config) => {
        const full = new Map(
          Object.keys(file).map((name) => [name.startsWith(PREFIX) ? name : PREFIX + name, name]),
        );
        const wanted = expectedShapes(config);
        const names = Object.keys(wanted);
        const fits = (name: string): boolean =>
          JSON.stringify(wanted[name]) === JSON.stringify(file[full.get(name) ?? '']);
        const here = names.filter((name) => full.has(name));
        return {
          places: Object.fromEntries(here.filter(fits).map((name) => [name, full.get(name) ?? ''])),
          missing: names.filter((name) => !full.has(name)).sort(),
          unused: [...full]
            .filter(([name]) => wanted[name] === undefined && !BUFFER.test(name))
            .map(([, name]) => name)
            .sort(),
          misshapen: here.filter((name) => !fits(name)).sort(),
        };
      },
    },
  ],
  mutants: [
    {
      id: 'shapes-as-linear',
      diagnosis:
        'The weights of c_attn, c_proj and c_fc are expected as [out, in]. GPT-2 stores them as [in, out]: its layers were written as convolutions of width 1 (Conv1D).',
      implementation: (file, config) => match(file, config, { linear: true }),
    },
    {
      id: 'square-c-attn',
      diagnosis:
        'c_attn is expected as D wide. It makes query, key and value at once, side by side: 3·D wide.',
      implementation: (file, config) => match(file, config, { square: true }),
    },
    {
      id: 'biases-forgotten',
      diagnosis: 'The biases of c_attn, c_proj and c_fc are not expected. In GPT-2 every such layer has one.',
      implementation: (file, config) => match(file, config, { biases: false }),
    },
    {
      id: 'head-expected',
      diagnosis:
        'lm_head.weight is reported as missing. The head is tied: it is the table of the tokens, wte.weight, and has no entry of its own.',
      implementation: (file, config) => match(file, config, { head: true }),
    },
    {
      id: 'prefix-required',
      diagnosis:
        'Files of the bare model have the same names without "transformer." in front (h.0.ln_1.weight). Both spellings must be found.',
      implementation: (file, config) => match(file, config, { prefixed: 'always' }),
    },
    {
      id: 'prefix-never',
      diagnosis:
        'Names with "transformer." in front are not found. Look for the full name as well as the bare one.',
      implementation: (file, config) => match(file, config, { prefixed: 'never' }),
    },
    {
      id: 'sizes-compared',
      diagnosis:
        'A weight passes if it has as many numbers as expected. A turned weight has, too: compare the shapes, axis by axis.',
      implementation: (file, config) =>
        match(file, config, {
          sameShape: (a, b) => a.reduce((p, n) => p * n, 1) === b.reduce((p, n) => p * n, 1),
        }),
    },
    {
      id: 'unused-ignored',
      diagnosis:
        'Nothing is ever reported as unused. A tensor without a place in the model means that the model in the file is another one.',
      implementation: (file, config) => match(file, config, { unused: false }),
    },
    {
      id: 'buffers-unused',
      diagnosis:
        'The old buffers h.0.attn.bias and h.0.attn.masked_bias are reported as unused. They hold the causal mask, which you compute: pass over them.',
      implementation: (file, config) => match(file, config, { buffer: /(?!)/ }),
    },
    {
      id: 'too-much-ignored',
      diagnosis:
        'Every unknown name that ends with bias is passed over. Only h.0.attn.bias and h.0.attn.masked_bias (of any layer) are: a stray bias of a layer is not.',
      implementation: (file, config) => match(file, config, { buffer: /bias$/ }),
    },
    {
      id: 'last-layer-forgotten',
      diagnosis: 'The last layer is not expected. Layers are numbered from 0 to n_layer − 1.',
      implementation: (file, config) => match(file, config, { lastLayer: config.n_layer - 1 }),
    },
  ],
  cases: [
    { name: 'a file that fits', visibility: 'public', inputs: (draw) => inputs(draw, 2) },
    {
      name: 'an old file of the bare model, something missing',
      visibility: 'public',
      inputs: (draw) => inputs(draw, 2, { bare: true, buffers: true, without: 1 }),
    },
    {
      name: 'wrong shapes and strangers',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, 2, { crooked: true, strangers: ['h.0.attn.c_gate.bias', 'h.9.ln_1.weight'] }),
    },
    {
      name: 'everything at once',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) =>
        inputs(draw, 4, {
          buffers: true,
          without: 3,
          crooked: true,
          strangers: ['h.1.attn.c_gate.bias', 'score.weight'],
        }),
    },
    {
      name: 'everything at once, bare',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) =>
        inputs(draw, 3, {
          bare: true,
          buffers: true,
          without: 2,
          crooked: true,
          strangers: ['h.2.mlp.bias'],
        }),
    },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'First write down what you expect: a record of names and shapes for L layers. Then compare it with the file, in both directions.',
    'Expected: wte [V, D], wpe [T max, D]; in each layer ln_1, ln_2 weight and bias [D], attn.c_attn [D, 3·D], attn.c_proj [D, D], mlp.c_fc [D, F], mlp.c_proj [F, D], each with a bias as long as its second axis; ln_f [D]. All with transformer. in front. Then for each: its full or bare name in the file? The same shape? At the end: which names of the file were not asked for?',
    'missing = expected ∖ file; unused = file ∖ expected ∖ {…attn.bias, …attn.masked_bias}; misshapen = both, but shapes differ. Names: class GPT2Model of Hugging Face transformers; sizes: Radford et al., 2019, section 2.3.',
  ],
});
