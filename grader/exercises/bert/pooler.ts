import * as tf from '@tensorflow/tfjs-core';
import { type LinearParams, linear } from '../../../src/core/index.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  dense: LinearParams;
}

function inputs(draw: Draw, batch: number, length: number, width: number): [Params, tf.Tensor] {
  return [
    { dense: { weight: draw.normal([width, width], { std: 0.5 }), bias: draw.shift(width) } },
    draw.normal([batch, length, width]),
  ];
}

/** The state at one position. [B, D] */
const at = (states: tf.Tensor, position: number): tf.Tensor =>
  tf.squeeze(tf.slice(states, [0, position, 0], [-1, 1, -1]), [1]);

export default defineExercise({
  id: 'bert/pooler',
  title: 'The pooler',
  points: 1,
  entry: 'bertPooler',
  difficulty: 1,
  minutes: 10,
  signature:
    'bertPooler(params: {dense: LinearParams}, hiddenStates: tf.Tensor /* [B, T, D] */): tf.Tensor  // [B, D]',
  parameters: ['params', 'hiddenStates'],
  tolerance: { ...FLOAT32, reason: 'one product over D in float32, then tanh' },
  reference: (params: Params, states: tf.Tensor) =>
    tf.tidy(() => tf.tanh(linear(params.dense, at(states, 0)))),
  variants: [
    {
      name: 'all positions through the layer, the first taken at the end',
      implementation: (params, states) => tf.tidy(() => at(tf.tanh(linear(params.dense, states)), 0)),
    },
  ],
  mutants: [
    {
      id: 'no-tanh',
      diagnosis: 'The tanh is missing: the pooler is a linear layer followed by tanh.',
      implementation: (params, states) => tf.tidy(() => linear(params.dense, at(states, 0))),
    },
    {
      id: 'mean-pooling',
      diagnosis:
        'The states of all positions are averaged. BERT pools the state of the first token, [CLS], alone.',
      implementation: (params, states) => tf.tidy(() => tf.tanh(linear(params.dense, tf.mean(states, 1)))),
    },
    {
      id: 'last-position',
      diagnosis: 'The state of the last position is taken. [CLS] is the first.',
      implementation: (params, states) =>
        tf.tidy(() => tf.tanh(linear(params.dense, at(states, (states.shape[1] ?? 1) - 1)))),
    },
    {
      id: 'weight-transposed',
      diagnosis:
        'The weight is used transposed. It is stored as [out, in], as in PyTorch: y = x·Wᵀ + b. linear(params.dense, x) does it.',
      implementation: (params, states) =>
        tf.tidy(() => tf.tanh(tf.add(tf.matMul(at(states, 0), params.dense.weight), params.dense.bias ?? 0))),
    },
    {
      id: 'no-bias',
      diagnosis: 'The bias of the dense layer is left out.',
      implementation: (params, states) =>
        tf.tidy(() => tf.tanh(linear({ weight: params.dense.weight }, at(states, 0)))),
    },
  ],
  cases: [
    { name: 'two rows', visibility: 'public', inputs: (draw) => inputs(draw, 2, 5, 6) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 3, 4, 10) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'One vector stands for the whole sequence. Which position was put there for that?',
    'hiddenStates [B, T, D] → first position [B, D] → dense [B, D] → tanh [B, D].',
    'p = tanh(W·h₀ + b), h₀ the last state of [CLS]. Devlin et al., 2019, "BERT", section 3.1 (final hidden state C); the layer is in the released code.',
  ],
});
