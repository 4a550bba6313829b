import * as tf from '@tensorflow/tfjs-core';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Batch {
  replaced: tf.Tensor2D;
  attentionMask: tf.Tensor2D;
  masked: tf.Tensor2D;
}

type Args = [tf.Tensor2D, Batch];

/** Masked positions, some of them with the right token; padding behind, where the logits are large. */
function inputs(draw: Draw, batch: number, length: number, scale = 2): Args {
  const attentionMask = draw.mask(batch, length);
  const pattern = (of: (row: number, i: number) => boolean): tf.Tensor2D =>
    tf.tidy(() => {
      const rows = Array.from({ length: batch }, (_, row) =>
        Array.from({ length }, (_, i) => (of(row, i) ? 1 : 0)),
      );
      return tf.mul<tf.Tensor2D>(tf.tensor2d(rows, [batch, length], 'int32'), attentionMask);
    });
  return [
    draw.normal([batch, length], { std: scale }).as2D(batch, length),
    {
      replaced: pattern((row, i) => (i + row) % 4 === 0),
      attentionMask,
      masked: pattern((row, i) => (i + row) % 2 === 0),
    },
  ];
}

/** ln(1 + eᶻ) − z·y, the loss of each token. */
const losses = (logits: tf.Tensor, replaced: tf.Tensor): tf.Tensor =>
  tf.sub(tf.softplus(logits), tf.mul(logits, tf.cast(replaced, 'float32')));

const mean = (values: tf.Tensor, weights: tf.Tensor): tf.Tensor => {
  const w = tf.cast(weights, 'float32');
  return tf.div(tf.sum(tf.mul(values, w)), tf.sum(w));
};

export default defineExercise<Args>({
  id: 'electra/discriminator-loss',
  title: 'A loss from every token',
  points: 2,
  entry: 'discriminatorLoss',
  difficulty: 2,
  minutes: 15,
  signature:
    'discriminatorLoss(logits: tf.Tensor2D /* [B, T] */, batch: {replaced; attentionMask; masked: tf.Tensor2D /* int32 [B, T] */}): tf.Scalar',
  parameters: ['logits', 'batch'],
  tolerance: { ...FLOAT32, reason: 'a softplus and a mean in float32' },
  reference: (logits, { replaced, attentionMask }) =>
    tf.tidy(() => mean(losses(logits, replaced), attentionMask)),
  variants: [
    {
      name: 'two terms, one for each label',
      implementation: (logits, { replaced, attentionMask }) =>
        tf.tidy(() => {
          const y = tf.cast(replaced, 'float32');
          const real = tf.mul(tf.sub(1, y), tf.softplus(logits));
          const fake = tf.mul(y, tf.softplus(tf.neg(logits)));
          return mean(tf.add(real, fake), attentionMask);
        }),
    },
  ],
  mutants: [
    {
      id: 'masked-positions-only',
      diagnosis:
        'Only the positions that were masked count. ELECTRA learns from all tokens: that is what makes it efficient. The weights are the attentionMask.',
      implementation: (logits, { replaced, masked }) => tf.tidy(() => mean(losses(logits, replaced), masked)),
    },
    {
      id: 'replaced-positions-only',
      diagnosis:
        'Only the replaced tokens count, so saying "replaced" everywhere would be perfect. Originals count as well.',
      implementation: (logits, { replaced }) => tf.tidy(() => mean(losses(logits, replaced), replaced)),
    },
    {
      id: 'padding-counted',
      diagnosis:
        'Padding counts. Weigh each position with the attentionMask, in the sum and in what you divide by.',
      implementation: (logits, { replaced }) => tf.tidy(() => tf.mean(losses(logits, replaced))),
    },
    {
      id: 'divided-by-all-positions',
      diagnosis:
        'The sum leaves padding out, but is divided by the number of all positions. Divide by the number of tokens.',
      implementation: (logits, { replaced, attentionMask }) =>
        tf.tidy(() => tf.mean(tf.mul(losses(logits, replaced), tf.cast(attentionMask, 'float32')))),
    },
    {
      id: 'labels-reversed',
      diagnosis: 'The labels are taken the other way round: a large logit means "replaced", label 1.',
      implementation: (logits, { replaced, attentionMask }) =>
        tf.tidy(() => mean(losses(tf.neg(logits), replaced), attentionMask)),
    },
    {
      id: 'summed',
      diagnosis: 'The losses are summed. Take their mean over the tokens.',
      implementation: (logits, { replaced, attentionMask }) =>
        tf.tidy(() => tf.sum(tf.mul(losses(logits, replaced), tf.cast(attentionMask, 'float32')))),
    },
    {
      id: 'squared-error',
      diagnosis:
        'The loss is the squared difference between the probability and the label. Use the binary cross entropy.',
      implementation: (logits, { replaced, attentionMask }) =>
        tf.tidy(() =>
          mean(tf.square(tf.sub(tf.sigmoid(logits), tf.cast(replaced, 'float32'))), attentionMask),
        ),
    },
  ],
  cases: [
    { name: 'three rows with padding', visibility: 'public', inputs: (draw) => inputs(draw, 3, 8) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 4, 11) },
    {
      name: 'large logits',
      visibility: 'hidden',
      tolerance: {
        absolute: 1e-4,
        relative: 1e-5,
        reason: 'losses near 50, of which float32 keeps 7 digits',
      },
      inputs: (draw) => inputs(draw, 2, 9, 40),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Which tokens can the discriminator be right or wrong about?',
    'logits [B, T] → loss of each position: tf.softplus(z) − z·y [B, T] → times attentionMask (as float32) → one sum → divided by the sum of the attentionMask.',
    'L = −Σ (y·ln σ(z) + (1 − y)·ln(1 − σ(z)))/n over the n tokens; −ln σ(z) = softplus(−z) stays finite for large z. Clark et al., 2020, "ELECTRA", section 2, L_Disc.',
  ],
});
