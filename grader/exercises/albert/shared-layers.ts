import * as tf from '@tensorflow/tfjs-core';
import { paddingBias } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';
import { type LayerParams, layer, layerParams } from '../bert/layer.ts';

interface Config {
  num_hidden_layers: number;
  num_attention_heads: number;
  layer_norm_eps: number;
}

type Args = [LayerParams[], tf.Tensor, tf.Tensor2D, Config];

interface Sizes {
  groups: number;
  layers: number;
  batch: number;
  length: number;
  heads: number;
  headWidth: number;
  forward: number;
}

function inputs(draw: Draw, { groups, layers, ...sizes }: Sizes): Args {
  const { batch, length, heads, headWidth } = sizes;
  return [
    Array.from({ length: groups }, () => layerParams(draw, sizes)),
    draw.normal([batch, length, heads * headWidth]),
    draw.mask(batch, length),
    { num_hidden_layers: layers, num_attention_heads: heads, layer_norm_eps: 1e-12 },
  ];
}

/** Runs the groups in the order given: what the mutants vary. */
function run(
  [groups, hidden, mask, config]: Args,
  order: number[],
  own = (params: LayerParams) => params,
): tf.Tensor {
  return tf.tidy(() => {
    const bias = paddingBias(mask);
    return order.reduce((x, g) => {
      const params = groups[g];
      return params === undefined ? x : layer(own(params), x, bias, config);
    }, hidden);
  });
}

const layersOf = (config: Config): number[] => Array.from({ length: config.num_hidden_layers }, (_, i) => i);
const right = ([groups, , , config]: Args): number[] =>
  layersOf(config).map((i) => Math.floor((i * groups.length) / config.num_hidden_layers));

/** Fresh tensors with the same numbers, cut off from the original. */
const detached = <T extends tf.Tensor>(x: T): T =>
  tf.customGrad<T>(() => ({ value: tf.clone(x), gradFunc: () => tf.zerosLike(x) }))(x);

function copied(params: LayerParams): LayerParams {
  const dense = ({ weight, bias }: LayerParams['intermediate']): LayerParams['intermediate'] => ({
    weight: detached(weight),
    ...(bias === undefined ? {} : { bias: detached(bias) }),
  });
  const norm = ({ weight, bias }: LayerParams['outputNorm']): LayerParams['outputNorm'] => ({
    weight: detached(weight),
    bias: detached(bias),
  });
  const { query, key, value, output } = params.attention;
  return {
    attention: { query: dense(query), key: dense(key), value: dense(value), output: dense(output) },
    attentionNorm: norm(params.attentionNorm),
    intermediate: dense(params.intermediate),
    output: dense(params.output),
    outputNorm: norm(params.outputNorm),
  };
}

export default defineExercise<Args>({
  id: 'albert/shared-layers',
  title: 'Layers that share their parameters',
  points: 3,
  entry: 'albertEncoder',
  difficulty: 2,
  minutes: 20,
  signature:
    'albertEncoder(groups: BertLayerParams[], hidden: tf.Tensor /* [B, T, D] */, attentionMask: tf.Tensor2D /* [B, T] */, config: {num_hidden_layers: number; num_attention_heads: number; layer_norm_eps: number}): tf.Tensor  // [B, T, D]',
  parameters: ['groups', 'hidden', 'attentionMask', 'config'],
  tolerance: {
    absolute: 1e-4,
    relative: 2e-5,
    reason: 'up to six layers in float32, each adding its rounding',
  },
  reference: (...args) => run(args, right(args)),
  variants: [
    {
      name: 'a loop over groups, each as often as it has layers',
      implementation: (groups, hidden, mask, config) => {
        const times = groups.map(
          (_, g) => right([groups, hidden, mask, config]).filter((other) => other === g).length,
        );
        return run(
          [groups, hidden, mask, config],
          times.flatMap((n, g) => Array.from({ length: n }, () => g)),
        );
      },
    },
  ],
  mutants: [
    {
      id: 'deep-copies',
      diagnosis:
        'The values are right, but the layers work with copies: the gradient of the later uses does not reach the shared parameters. Use the same object for every layer of a group; a copy would also have to be stored and trained.',
      // The first use is the original, every later one a copy.
      implementation: (...args) => {
        const used = new Set<LayerParams>();
        return run(args, right(args), (params) => {
          if (used.has(params)) return copied(params);
          used.add(params);
          return params;
        });
      },
    },
    {
      id: 'groups-alternate',
      diagnosis:
        'The groups alternate: layer i uses group i mod G. Neighbouring layers share: layer i uses group ⌊i·G/L⌋.',
      implementation: (...args) =>
        run(
          args,
          layersOf(args[3]).map((i) => i % args[0].length),
        ),
    },
    {
      id: 'each-group-once',
      diagnosis:
        'Each group runs once. There are num_hidden_layers layers; the groups only say whose parameters they use.',
      implementation: (...args) =>
        run(
          args,
          args[0].map((_, g) => g),
        ),
    },
    {
      id: 'first-group-only',
      diagnosis: 'All layers use the first group.',
      implementation: (...args) =>
        run(
          args,
          layersOf(args[3]).map(() => 0),
        ),
    },
    {
      id: 'rounded',
      diagnosis: 'The group is rounded to the nearest. Round down: ⌊i·G/L⌋.',
      implementation: (...args) =>
        run(
          args,
          layersOf(args[3]).map((i) =>
            Math.min(args[0].length - 1, Math.round((i * args[0].length) / args[3].num_hidden_layers)),
          ),
        ),
    },
    {
      id: 'groups-reversed',
      diagnosis: 'The last group comes first.',
      implementation: (...args) => run(args, right(args).reverse()),
    },
  ],
  cases: [
    {
      name: 'two groups, four layers',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, { groups: 2, layers: 4, batch: 2, length: 5, heads: 3, headWidth: 2, forward: 10 }),
    },
    {
      name: 'three groups, six layers',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) =>
        inputs(draw, { groups: 3, layers: 6, batch: 2, length: 4, heads: 2, headWidth: 3, forward: 8 }),
    },
    {
      name: 'one group for all',
      visibility: 'hidden',
      inputs: (draw) =>
        inputs(draw, { groups: 1, layers: 3, batch: 3, length: 4, heads: 2, headWidth: 4, forward: 14 }),
    },
  ],
  // The gradient of a shared parameter is the sum over its uses: the only place where copies show.
  properties: [
    noLeak(),
    inputsUnchanged(),
    gradientsFlow({
      weight: 2,
      tolerance: { absolute: 5e-4, relative: 2e-3, reason: 'a gradient through six layers in float32' },
    }),
  ],
  hints: [
    'The loop runs L times, but there are only G sets of parameters. Which does layer i use?',
    'bias = paddingBias(attentionMask); x = hidden; for i = 0 … L − 1: params = groups[⌊i·G/L⌋]; x = bertLayer(params, x, bias, config) [B, T, D].',
    'group(i) = ⌊i·G/L⌋. Lan et al., 2020, "ALBERT", section 3.1, cross-layer parameter sharing; the groups are in the released code.',
  ],
});
