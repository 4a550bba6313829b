import * as tf from '@tensorflow/tfjs-core';
import { type Draw, defineExercise, EXACT, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Fused {
  /** [D, 3·D] */
  weight: tf.Tensor2D;
  /** [3·D] */
  bias: tf.Tensor1D;
}

type Args = [Fused, { n_head: number }];

function inputs(draw: Draw, heads: number, headWidth: number): Args {
  const width = heads * headWidth;
  return [
    { weight: draw.normal([width, 3 * width]).as2D(width, 3 * width), bias: draw.shift(3 * width) },
    { n_head: heads },
  ];
}

const slice = (x: tf.Tensor, begin: number[], size: number[]): tf.Tensor => tf.slice(x, begin, size);

/** The i-th third of the outputs: what c_attn's columns are. */
function third([{ weight, bias }]: Args, i: number): { weight: tf.Tensor; bias: tf.Tensor } {
  const [width] = weight.shape;
  return {
    weight: tf.transpose(slice(weight, [0, i * width], [width, width])),
    bias: slice(bias, [i * width], [width]),
  };
}

function split(
  args: Args,
  part: (args: Args, i: number) => { weight: tf.Tensor; bias: tf.Tensor } = third,
): unknown {
  const tensors = tf.tidy(() => [0, 1, 2].flatMap((i) => Object.values(part(args, i))));
  const [query, queryBias, key, keyBias, value, valueBias] = tensors;
  return {
    query: { weight: query, bias: queryBias },
    key: { weight: key, bias: keyBias },
    value: { weight: value, bias: valueBias },
  };
}

export default defineExercise<Args>({
  id: 'capstone/split-attention',
  title: 'Query, key and value from one tensor',
  points: 2,
  entry: 'splitAttention',
  difficulty: 2,
  minutes: 20,
  signature:
    'splitAttention(fused: {weight: tf.Tensor2D /* [D, 3·D] */; bias: tf.Tensor1D /* [3·D] */}, config: {n_head: number}): {query, key, value: {weight: tf.Tensor /* [D, D], [out, in] */; bias: tf.Tensor /* [D] */}}',
  parameters: ['fused', 'config'],
  tolerance: { ...EXACT, reason: 'numbers are moved, not computed' },
  reference: (...args) => split(args),
  variants: [
    {
      name: 'turned as a whole, then cut by rows',
      implementation: ({ weight, bias }, _config) => {
        const weights = tf.tidy(() => tf.split(tf.transpose(weight), 3, 0));
        const biases = tf.split(bias, 3, 0);
        const of = (i: number): unknown => ({ weight: weights[i], bias: biases[i] });
        return { query: of(0), key: of(1), value: of(2) };
      },
    },
  ],
  mutants: [
    {
      id: 'not-turned',
      diagnosis:
        'The weights are not turned. GPT-2 stores [in, out] and multiplies x·W; our linear layers take [out, in] and multiply x·Wᵀ.',
      implementation: (...args) =>
        split(args, (all, i) => {
          const { weight, bias } = third(all, i);
          return { weight: tf.transpose(weight), bias };
        }),
    },
    {
      id: 'cut-across',
      diagnosis:
        'The weight is reshaped to three squares, which mixes rows and columns. Query, key and value lie side by side: columns 0 … D − 1, D … 2·D − 1, 2·D … 3·D − 1.',
      implementation: (...args) =>
        split(args, (all, i) => {
          const [{ weight }] = all;
          const [width] = weight.shape;
          const square = slice(tf.reshape(weight, [3, width, width]), [i, 0, 0], [1, width, width]);
          return { weight: tf.transpose(tf.reshape(square, [width, width])), bias: third(all, i).bias };
        }),
    },
    {
      id: 'by-heads',
      diagnosis:
        'The columns are taken head by head, as if each head held its query, key and value. In GPT-2 all queries come first, then all keys, then all values.',
      implementation: (...args) =>
        split(args, (all, i) => {
          const [{ weight, bias }, { n_head: heads }] = all;
          const [width] = weight.shape;
          const size = width / heads;
          const columns = slice(
            tf.reshape(weight, [width, heads, 3, size]),
            [0, 0, i, 0],
            [width, heads, 1, size],
          );
          return {
            weight: tf.transpose(tf.reshape(columns, [width, width])),
            bias: tf.reshape(slice(tf.reshape(bias, [heads, 3, size]), [0, i, 0], [heads, 1, size]), [width]),
          };
        }),
    },
    {
      id: 'every-third-column',
      diagnosis: 'Every third column is taken. The columns of one part lie next to each other.',
      implementation: (...args) =>
        split(args, (all, i) => {
          const [{ weight, bias }] = all;
          const [width] = weight.shape;
          const columns = slice(tf.reshape(weight, [width, width, 3]), [0, 0, i], [width, width, 1]);
          return {
            weight: tf.transpose(tf.reshape(columns, [width, width])),
            bias: tf.reshape(slice(tf.reshape(bias, [width, 3]), [0, i], [width, 1]), [width]),
          };
        }),
    },
    {
      id: 'key-value-swapped',
      diagnosis: 'Key and value are swapped. The order is query, key, value.',
      implementation: (...args) => split(args, (all, i) => third(all, [0, 2, 1][i] ?? 0)),
    },
    {
      id: 'one-bias-for-all',
      diagnosis: 'All three get the first third of the bias. The bias is cut like the columns of the weight.',
      implementation: (...args) =>
        split(args, (all, i) => ({ weight: third(all, i).weight, bias: third(all, 0).bias })),
    },
  ],
  cases: [
    { name: 'two heads', visibility: 'public', inputs: (draw) => inputs(draw, 2, 3) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 3, 5) },
    { name: 'one head', visibility: 'hidden', inputs: (draw) => inputs(draw, 1, 7) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'A column of the stored weight makes one output feature. Which columns make the queries? And which way round does lab.linear want its weight?',
    'weight [D, 3·D] → columns i·D … (i + 1)·D − 1 → [D, D] (in, out) → transpose → [D, D] (out, in); bias [3·D] → i·D … (i + 1)·D − 1 → [D]; i = 0 query, 1 key, 2 value.',
    '[q k v] = x·W + b with W = [W_q W_k W_v], so q = x·W_q + b_q, and linear computes x·Wᵀ + b. The released code of GPT-2 (Radford et al., 2019), function attn: c = conv1d(x, 3·n_state), then split into q, k, v.',
  ],
});
