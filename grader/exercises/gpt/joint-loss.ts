import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy } from '../../../src/core/index.ts';
import { nextTokenLoss } from '../../../src/models/causal.ts';
import { classificationAndLmLoss } from '../../../src/objectives/fine-tuning.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Outputs {
  classLogits: tf.Tensor2D;
  logits: tf.Tensor3D;
}

type Args = [Outputs, tf.Tensor1D, tf.Tensor2D, number];

const IGNORED = -100;

interface Sizes {
  batch: number;
  length: number;
  classes: number;
  vocabulary: number;
  weight: number;
}

function inputs(draw: Draw, { batch, length, classes, vocabulary, weight }: Sizes): Args {
  const labels = Array.from({ length: batch }, (_, row) =>
    Array.from({ length }, (_, i) => (i < length - row ? draw.rng.integer(vocabulary) : IGNORED)),
  );
  return [
    {
      classLogits: draw.normal([batch, classes]).as2D(batch, classes),
      logits: draw.normal([batch, length, vocabulary], { std: 1.5 }).as3D(batch, length, vocabulary),
    },
    draw.integers([batch], 0, classes).as1D(),
    tf.tensor2d(labels, [batch, length], 'int32'),
    weight,
  ];
}

/** a · classification + b · language model, reported with its parts: what the mutants vary. */
function joint(
  [outputs, classes, labels, weight]: Args,
  {
    factors = (w) => [1, w],
    languageModel = nextTokenLoss,
  }: {
    factors?: (weight: number) => [number, number];
    languageModel?: (logits: tf.Tensor3D, labels: tf.Tensor2D) => tf.Scalar;
  } = {},
) {
  const [a, b] = factors(weight);
  const classification = crossEntropy(outputs.classLogits, classes);
  const language = languageModel(outputs.logits, labels);
  const loss = tf.tidy(() => tf.add(tf.mul(classification, a), tf.mul(language, b)));
  return { loss, classification, languageModel: language };
}

export default defineExercise<Args>({
  id: 'gpt/joint-loss',
  title: "GPT's loss of fine-tuning",
  points: 2,
  entry: 'jointLoss',
  difficulty: 1,
  minutes: 15,
  signature:
    'jointLoss(outputs: {classLogits: tf.Tensor2D /* [B, C] */; logits: tf.Tensor3D /* [B, T, V] */}, classes: tf.Tensor1D /* int32 [B] */, labels: tf.Tensor2D /* int32 [B, T], -100 = padding */, weight: number): {loss: tf.Scalar; classification: tf.Scalar; languageModel: tf.Scalar}',
  parameters: ['outputs', 'classes', 'labels', 'weight'],
  tolerance: { ...FLOAT32, reason: 'two log-softmaxes and two means, in float32' },
  reference: (...args) => classificationAndLmLoss(...args),
  variants: [
    {
      name: 'the labels cut by hand',
      implementation: (...args) =>
        joint(args, {
          languageModel: (logits, labels) =>
            tf.tidy(() => {
              const [batch, length, vocabulary] = logits.shape;
              const predicted = tf.slice(logits, [0, 0, 0], [batch, length - 1, vocabulary]);
              return crossEntropy(predicted, tf.slice(labels, [0, 1], [batch, length - 1]));
            }),
        }),
    },
  ],
  mutants: [
    {
      id: 'task-alone',
      diagnosis:
        'The loss is that of the classification alone. Add weight times the loss of the language model.',
      implementation: (...args) => joint(args, { factors: () => [1, 0] }),
    },
    {
      id: 'no-weight',
      diagnosis: 'The loss of the language model is added in full. Multiply it by the weight first.',
      implementation: (...args) => joint(args, { factors: () => [1, 1] }),
    },
    {
      id: 'weight-on-the-task',
      diagnosis:
        'The weight multiplies the classification. It belongs to the language model, which is only the helper here.',
      implementation: (...args) => joint(args, { factors: (w) => [w, 1] }),
    },
    {
      id: 'mixture',
      diagnosis:
        'The two losses are mixed as (1 − weight) and weight. The classification keeps its factor of 1.',
      implementation: (...args) => joint(args, { factors: (w) => [1 - w, w] }),
    },
    {
      id: 'always-one-half',
      diagnosis:
        'The weight is 0.5 whatever was passed. 0.5 is the choice of the paper; the function takes it as an argument.',
      implementation: (...args) => joint(args, { factors: () => [1, 0.5] }),
    },
    {
      id: 'language-model-not-shifted',
      diagnosis:
        'The language model is scored without the shift: the logits at t speak of token t + 1. Use nextTokenLoss.',
      implementation: (...args) =>
        joint(args, { languageModel: (logits, labels) => crossEntropy(logits, labels) }),
    },
    {
      id: 'padding-counted',
      diagnosis:
        'Padding is counted in the loss of the language model, as if it were token 0. Its label −100 means: leave it out.',
      implementation: (...args) =>
        joint(args, {
          languageModel: (logits, labels) =>
            tf.tidy(() => nextTokenLoss(logits, tf.cast(tf.maximum(labels, 0), 'int32'))),
        }),
    },
  ],
  cases: [
    {
      name: 'the weight of the paper',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 3, length: 6, classes: 2, vocabulary: 11, weight: 0.5 }),
    },
    {
      name: 'another weight, other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 4, length: 7, classes: 5, vocabulary: 13, weight: 0.2 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Two losses you know: one over classes, one over next tokens. Which of them is the task, and which only helps?',
    'classLogits [B, C] with classes [B] → crossEntropy → scalar; logits [B, T, V] with labels [B, T] → nextTokenLoss → scalar; loss = classification + weight · languageModel. Return all three.',
    'L₃ = L₂ + λ·L₁ with λ = 0.5. Radford et al., 2018, section 3.2, equation 5, and section 4.1.',
  ],
});
