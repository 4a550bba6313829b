import * as tf from '@tensorflow/tfjs-core';
import { type Draw, defineExercise, FLOAT32, inputsUnchanged, noLeak } from '../../define.ts';

interface Config {
  n_layer: number;
  initializer_range: number;
}

type Draws = Record<string, tf.Tensor>;
type Args = [Draws, Config];

/** The parameters of a GPT-2 by name, each filled with draws of the standard normal distribution. */
function inputs(
  draw: Draw,
  { layers, width, forward, range }: { layers: number; width: number; forward: number; range: number },
): Args {
  const shapes: Record<string, number[]> = { tokens: [11, width], positions: [7, width] };
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `blocks.${layer}`;
    for (const norm of ['attentionNorm', 'feedForwardNorm']) {
      shapes[`${prefix}.${norm}.weight`] = [width];
      shapes[`${prefix}.${norm}.bias`] = [width];
    }
    for (const name of ['query', 'key', 'value', 'output']) {
      shapes[`${prefix}.attention.${name}.weight`] = [width, width];
      shapes[`${prefix}.attention.${name}.bias`] = [width];
    }
    shapes[`${prefix}.feedForward.up.weight`] = [forward, width];
    shapes[`${prefix}.feedForward.up.bias`] = [forward];
    shapes[`${prefix}.feedForward.down.weight`] = [width, forward];
    shapes[`${prefix}.feedForward.down.bias`] = [width];
  }
  shapes['finalNorm.weight'] = [width];
  shapes['finalNorm.bias'] = [width];
  return [
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, draw.normal(shape)])),
    { n_layer: layers, initializer_range: range },
  ];
}

const intoTheSum = (name: string): boolean => /(attention\.output|feedForward\.down)\.weight$/.test(name);
const layerOf = (name: string): number => Number(/^blocks\.(\d+)/.exec(name)?.[1] ?? 0);

/** Initial values by the rules given: what the mutants vary. */
function initial(
  [draws, config]: Args,
  {
    spread = (name, { n_layer, initializer_range: range }) =>
      intoTheSum(name) ? range / Math.sqrt(2 * n_layer) : range,
    bias = (x) => tf.zerosLike(x),
    gain = (x) => tf.onesLike(x),
  }: {
    spread?: (name: string, config: Config) => number;
    bias?: (draws: tf.Tensor, config: Config) => tf.Tensor;
    gain?: (draws: tf.Tensor, config: Config) => tf.Tensor;
  } = {},
): Draws {
  return Object.fromEntries(
    Object.entries(draws).map(([name, x]) => {
      if (name.endsWith('bias')) return [name, bias(x, config)];
      if (/norm\.weight$/i.test(name)) return [name, gain(x, config)];
      return [name, tf.mul(x, spread(name, config))];
    }),
  );
}

export default defineExercise<Args>({
  id: 'gpt/initial-parameters',
  title: 'How GPT-2 begins',
  points: 2,
  entry: 'initialParameters',
  difficulty: 2,
  minutes: 20,
  signature:
    'initialParameters(draws: Record<string, tf.Tensor> /* standard normal */, config: {n_layer: number; initializer_range: number}): Record<string, tf.Tensor>  // the same names and shapes',
  parameters: ['draws', 'config'],
  // The spread itself is 0.02, so an absolute tolerance of 1e-5 would be too kind.
  tolerance: { ...FLOAT32, absolute: 1e-7, reason: 'one product in float32, of numbers near 0.02' },
  reference: (...args) => initial(args),
  variants: [
    {
      name: 'by the last part of the name',
      implementation: (draws, { n_layer, initializer_range }) => {
        const result: Draws = {};
        for (const [name, x] of Object.entries(draws)) {
          const parts = name.split('.');
          const owner = parts.at(-2) ?? '';
          if (parts.at(-1) === 'bias') result[name] = tf.zeros(x.shape);
          else if (owner.toLowerCase().endsWith('norm')) result[name] = tf.ones(x.shape);
          else {
            const scale = owner === 'output' || owner === 'down' ? (2 * n_layer) ** -0.5 : 1;
            result[name] = tf.mul(x, initializer_range * scale);
          }
        }
        return result;
      },
    },
  ],
  mutants: [
    {
      id: 'all-alike',
      diagnosis:
        'All weights have the same spread. The two that write into the residual sum, attention.output and feedForward.down, are scaled by 1/√(2L), or the sum grows with the depth.',
      implementation: (...args) => initial(args, { spread: (_, { initializer_range }) => initializer_range }),
    },
    {
      id: 'one-sublayer-a-layer',
      diagnosis:
        'The residual scale is 1/√L. Each of the L layers adds twice, after the attention and after the feed-forward network: 1/√(2L).',
      implementation: (...args) =>
        initial(args, {
          spread: (name, { n_layer, initializer_range: range }) =>
            intoTheSum(name) ? range / Math.sqrt(n_layer) : range,
        }),
    },
    {
      id: 'no-root',
      diagnosis:
        'The residual scale is 1/(2L). Variances add up, not spreads: 2L equal variances need a factor 1/√(2L).',
      implementation: (...args) =>
        initial(args, {
          spread: (name, { n_layer, initializer_range: range }) =>
            intoTheSum(name) ? range / (2 * n_layer) : range,
        }),
    },
    {
      id: 'by-layer-number',
      diagnosis:
        'The residual scale depends on the number of the layer. It is the same in all: L is config.n_layer.',
      implementation: (...args) =>
        initial(args, {
          spread: (name, { initializer_range: range }) =>
            intoTheSum(name) ? range / Math.sqrt(2 * (layerOf(name) + 1)) : range,
        }),
    },
    {
      id: 'every-weight-scaled',
      diagnosis:
        'Every weight of a block is scaled. Only those that write into the residual sum are: attention.output and feedForward.down.',
      implementation: (...args) =>
        initial(args, {
          spread: (name, { n_layer, initializer_range: range }) =>
            name.startsWith('blocks.') ? range / Math.sqrt(2 * n_layer) : range,
        }),
    },
    {
      id: 'feed-forward-forgotten',
      diagnosis:
        'feedForward.down is not scaled. It writes into the residual sum just as attention.output does.',
      implementation: (...args) =>
        initial(args, {
          spread: (name, { n_layer, initializer_range: range }) =>
            name.endsWith('attention.output.weight') ? range / Math.sqrt(2 * n_layer) : range,
        }),
    },
    {
      id: 'range-taken-for-variance',
      diagnosis:
        'The initializer_range is taken for a variance. It is the standard deviation: multiply the draws by it.',
      implementation: (...args) =>
        initial(args, {
          spread: (name, { n_layer, initializer_range: range }) =>
            Math.sqrt(range) / (intoTheSum(name) ? Math.sqrt(2 * n_layer) : 1),
        }),
    },
    {
      id: 'biases-drawn',
      diagnosis: 'The biases are drawn at random. They all begin at 0, those of the norms too.',
      implementation: (...args) =>
        initial(args, { bias: (x, { initializer_range }) => tf.mul(x, initializer_range) }),
    },
    {
      id: 'gains-drawn',
      diagnosis:
        'The gains of the norms are drawn at random. They begin at 1: at first a norm only normalises.',
      implementation: (...args) =>
        initial(args, { gain: (x, { initializer_range }) => tf.mul(x, initializer_range) }),
    },
  ],
  cases: [
    {
      name: 'three layers',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { layers: 3, width: 4, forward: 10, range: 0.02 }),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { layers: 5, width: 6, forward: 9, range: 0.05 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged()],
  hints: [
    'L layers add to the same vector, twice each. If each addition had the same spread, how large would the sum be?',
    'For each name: ends with bias → zeros; a norm\'s weight → ones; "attention.output.weight" and "feedForward.down.weight" → draws · range/√(2L); all other weights → draws · range.',
    'The sum of N independent terms of variance σ² has variance Nσ², so each gets σ/√N with N = 2L. Radford et al., 2019, section 2.3: "We scale the weights of residual layers at initialization by a factor of 1/√N where N is the number of residual layers"; both additions of a layer count, as in the released sizes and in transformers.',
  ],
});
