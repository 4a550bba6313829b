import { type Draw, defineExercise, EXACT, inputsUnchanged } from '../../define.ts';

interface Config {
  layers: number;
  width: number;
  heads: number;
  keyValueHeads: number;
  bytes: number;
}

interface Cost {
  cacheBytes: number;
  flops: number;
}

type Args = [Config, number];

/** Sizes as models have them, small enough that every result is a whole number that a double holds exactly. */
function inputs(draw: Draw, grouped: boolean): Args {
  const heads = 4 * (2 + draw.rng.integer(4));
  const config = {
    layers: 3 + draw.rng.integer(9),
    width: heads * 16 * (1 + draw.rng.integer(4)),
    heads,
    keyValueHeads: grouped ? heads / 4 : heads,
    bytes: draw.pick([2, 4]),
  };
  return [config, 50 + draw.rng.integer(900)];
}

/** The cost by its factors; every mutant has one of them wrong. */
function cost(
  [config, length]: Args,
  wrong: Partial<{
    tensors: number;
    layers: number;
    heads: number;
    bytes: number;
    products: number;
    quadratic: boolean;
    width: number;
  }> = {},
): Cost {
  const headWidth = config.width / config.heads;
  const { tensors = 2, layers = config.layers, heads = config.keyValueHeads, bytes = config.bytes } = wrong;
  const { products = 2, quadratic = false, width = config.width } = wrong;
  return {
    cacheBytes: tensors * layers * heads * headWidth * length * bytes,
    flops: products * 2 * config.layers * length * (quadratic ? length : 1) * width,
  };
}

export default defineExercise<Args>({
  id: 'architectures/decoding-cost',
  title: 'What one more token costs',
  points: 2,
  entry: 'decodingCost',
  difficulty: 2,
  minutes: 20,
  signature:
    'decodingCost(config: {layers: number; width: number; heads: number; keyValueHeads: number; bytes: number}, length: number): {cacheBytes: number; flops: number}',
  parameters: ['config', 'length'],
  tolerance: EXACT,
  reference: (...args) => cost(args),
  variants: [
    {
      name: 'summed layer by layer',
      implementation: (config, length) => {
        const total = { cacheBytes: 0, flops: 0 };
        for (let layer = 0; layer < config.layers; layer++) {
          const headWidth = config.width / config.heads;
          total.cacheBytes += config.bytes * length * config.keyValueHeads * headWidth; // keys
          total.cacheBytes += config.bytes * length * config.keyValueHeads * headWidth; // values
          total.flops += config.heads * (2 * headWidth * length + 2 * length * headWidth); // q·kᵀ, p·v
        }
        return total;
      },
    },
  ],
  mutants: [
    {
      id: 'values-forgotten',
      diagnosis: 'The cache counts one tensor a layer. It keeps two: the keys and the values.',
      implementation: (...args) => cost(args, { tensors: 1 }),
    },
    {
      id: 'one-layer',
      diagnosis: 'The cache counts one layer. Every layer has its own keys and values.',
      implementation: (...args) => cost(args, { layers: 1 }),
    },
    {
      id: 'all-heads-cached',
      diagnosis:
        'The cache counts all heads. Only keyValueHeads heads have keys and values; with grouped queries they are fewer.',
      implementation: (...args) => cost(args, { heads: args[0].heads }),
    },
    {
      id: 'numbers-not-bytes',
      diagnosis: 'The cache is counted in numbers. Multiply by the bytes of each.',
      implementation: (...args) => cost(args, { bytes: 1 }),
    },
    {
      id: 'whole-sequence-again',
      diagnosis:
        'The FLOP grow with the square of the length: that is the cost of all tokens at once. With a cache one new query meets `length` keys.',
      implementation: (...args) => cost(args, { quadratic: true }),
    },
    {
      id: 'one-product',
      diagnosis:
        'One product is counted. Attention has two: queries with keys, and probabilities with values.',
      implementation: (...args) => cost(args, { products: 1 }),
    },
    {
      id: 'grouped-flops',
      diagnosis: 'The FLOP count keyValueHeads heads. All query heads compute; only the cache is shared.',
      implementation: (...args) =>
        cost(args, { width: (args[0].width / args[0].heads) * args[0].keyValueHeads }),
    },
  ],
  cases: [
    {
      name: 'a small model',
      visibility: 'public',
      inputs: () => [{ layers: 3, width: 128, heads: 8, keyValueHeads: 2, bytes: 4 }, 100],
    },
    { name: 'as many key heads as query heads', visibility: 'hidden', inputs: (draw) => inputs(draw, false) },
    { name: 'grouped queries', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, true) },
  ],
  properties: [inputsUnchanged()],
  hints: [
    'Which tensors must be kept so that the earlier tokens need not be computed again? How large is each?',
    'd = width/heads. Cache: keys and values (2) × layers × keyValueHeads × length × d × bytes. Attention for one query: q [1, d] · kᵀ [d, length] and p [1, length] · v [length, d], each 2·length·d FLOP, for every head of every layer.',
    'bytes = 2·L·Hkv·d·S·b; FLOP = 4·L·S·D. Kaplan et al., 2020, "Scaling laws", table 1 (per token, attention: 2·n_layer·n_ctx·d_attn for each product); Shazeer, 2019, "Fast transformer decoding", on the size of keys and values.',
  ],
});
