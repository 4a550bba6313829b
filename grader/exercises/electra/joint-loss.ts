import * as tf from '@tensorflow/tfjs-core';
import { binaryCrossEntropy, crossEntropy } from '../../../src/core/index.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Generator {
  logits: tf.Tensor3D;
  labels: tf.Tensor2D;
}

interface Discriminator {
  logits: tf.Tensor2D;
  replaced: tf.Tensor2D;
  attentionMask: tf.Tensor2D;
}

type Args = [Generator, Discriminator];

function inputs(draw: Draw, batch: number, length: number, vocabulary: number): Args {
  const attentionMask = draw.mask(batch, length);
  const rows = (of: (row: number, i: number) => number): tf.Tensor2D =>
    tf.tensor2d(
      Array.from({ length: batch }, (_, row) => Array.from({ length }, (_, i) => of(row, i))),
      [batch, length],
      'int32',
    );
  return [
    {
      logits: draw.normal([batch, length, vocabulary]).as3D(batch, length, vocabulary),
      labels: rows((row, i) => ((i + row) % 3 === 0 ? draw.rng.integer(vocabulary) : -100)),
    },
    {
      logits: draw.normal([batch, length], { std: 2 }).as2D(batch, length),
      replaced: tf.tidy(() =>
        tf.mul<tf.Tensor2D>(
          rows((row, i) => ((i + row) % 4 === 0 ? 1 : 0)),
          attentionMask,
        ),
      ),
      attentionMask,
    },
  ];
}

const both = ([generator, discriminator]: Args): { generator: tf.Tensor; discriminator: tf.Tensor } => ({
  generator: crossEntropy(generator.logits, generator.labels),
  discriminator: binaryCrossEntropy(
    discriminator.logits,
    discriminator.replaced,
    discriminator.attentionMask,
  ),
});

const weighted = (args: Args, first: number, second: number): tf.Tensor =>
  tf.tidy(() => {
    const { generator, discriminator } = both(args);
    return tf.add(tf.mul(first, generator), tf.mul(second, discriminator));
  });

export default defineExercise<Args>({
  id: 'electra/joint-loss',
  title: 'Two networks, one loss',
  points: 1,
  entry: 'jointLoss',
  difficulty: 1,
  minutes: 10,
  signature:
    'jointLoss(generator: {logits: tf.Tensor3D /* [B, T, V] */; labels: tf.Tensor2D /* −100 = not masked */}, discriminator: {logits; replaced; attentionMask: tf.Tensor2D /* [B, T] */}): tf.Scalar',
  parameters: ['generator', 'discriminator'],
  tolerance: { ...FLOAT32, absolute: 5e-5, reason: 'two means in float32, one of them times 50' },
  reference: (...args) => weighted(args, 1, 50),
  variants: [
    {
      name: 'both losses written out',
      implementation: (generator, { logits, replaced, attentionMask }) =>
        tf.tidy(() => {
          const vocabulary = generator.logits.shape[2];
          const oneHot = tf.cast(
            tf.oneHot(tf.cast(tf.maximum(generator.labels, 0), 'int32'), vocabulary),
            'float32',
          );
          const each = tf.neg(tf.sum(tf.mul(tf.logSoftmax(generator.logits), oneHot), -1));
          const w = tf.cast(tf.notEqual(generator.labels, -100), 'float32');
          const mlm = tf.div(tf.sum(tf.mul(each, w)), tf.sum(w));
          const tokens = tf.cast(attentionMask, 'float32');
          const bce = tf.sub(tf.softplus(logits), tf.mul(logits, tf.cast(replaced, 'float32')));
          return tf.add(mlm, tf.mul(50, tf.div(tf.sum(tf.mul(bce, tokens)), tf.sum(tokens))));
        }),
    },
  ],
  mutants: [
    {
      id: 'weight-forgotten',
      diagnosis:
        'The two losses are added as they are. The loss of the discriminator has two classes and is much smaller: it gets the weight 50.',
      implementation: (...args) => weighted(args, 1, 1),
    },
    {
      id: 'weight-on-the-generator',
      diagnosis: 'The weight 50 is on the loss of the generator. It belongs to the discriminator.',
      implementation: (...args) => weighted(args, 50, 1),
    },
    {
      id: 'divided-by-fifty',
      diagnosis: 'The loss of the discriminator is divided by 50. Multiply.',
      implementation: (...args) => weighted(args, 1, 1 / 50),
    },
    {
      id: 'discriminator-only',
      diagnosis: 'The loss of the generator is left out, so it would never learn.',
      implementation: (...args) => weighted(args, 0, 50),
    },
    {
      id: 'adversarial',
      diagnosis:
        "The discriminator's loss is subtracted, so that the generator would be trained to fool it. ELECTRA is not a GAN: both losses are minimised.",
      implementation: (...args) => weighted(args, 1, -50),
    },
    {
      id: 'averaged',
      diagnosis: 'The two are averaged. Add them.',
      implementation: (...args) => weighted(args, 0.5, 25),
    },
  ],
  cases: [
    { name: 'three rows', visibility: 'public', inputs: (draw) => inputs(draw, 3, 7, 11) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 4, 9, 17) },
  ],
  properties: [
    noLeak(),
    inputsUnchanged(),
    gradientsFlow({ tolerance: { absolute: 5e-4, relative: 1e-3, reason: 'gradients times 50 in float32' } }),
  ],
  hints: [
    'You have both losses already. Which of them is the small one?',
    'lab.crossEntropy(generator.logits, generator.labels) is a number; lab.binaryCrossEntropy(discriminator.logits, discriminator.replaced, discriminator.attentionMask) is a number; add the first and 50 times the second.',
    'L = L_MLM + λ·L_Disc with λ = 50. Clark et al., 2020, "ELECTRA", section 2 and appendix A.',
  ],
});
