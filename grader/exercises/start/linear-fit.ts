import * as tf from '@tensorflow/tfjs-core';
import '../../../src/core/index.ts';
import { type Draw, defineExercise, deterministic, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor, tf.Tensor, { steps: number; learningRate: number }];

interface Fit {
  weights: tf.Tensor;
  bias: tf.Tensor;
}

function inputs(draw: Draw, rows: number, columns: number, steps: number, learningRate: number): Args {
  const x = draw.normal([rows, columns], { mean: 0.3 });
  const y = tf.tidy(() => {
    const truth = draw.normal([columns]);
    return tf.add(tf.sum(tf.mul(x, truth), 1), draw.normal([rows], { mean: 1.5, std: 0.1 }));
  });
  return [x, y, { steps, learningRate }];
}

interface Rules {
  loss?: (errors: tf.Tensor) => tf.Scalar;
  direction?: number;
  biasMoves?: boolean;
  more?: number;
}

const meanSquare = (errors: tf.Tensor): tf.Scalar => tf.mean(tf.square(errors));

/** Gradient descent from zero by the rules: what the mutants vary. */
function fit([x, y, { steps, learningRate }]: Args, rules: Rules = {}): Fit {
  const { loss = meanSquare, direction = 1, biasMoves = true, more = 0 } = rules;
  const gradients = tf.grads((weights: tf.Tensor, bias: tf.Tensor) =>
    loss(tf.sub(tf.add(tf.sum(tf.mul(x, weights), 1), bias), y)),
  );
  return tf.tidy(() => {
    let weights: tf.Tensor = tf.zeros([x.shape[1] ?? 0]);
    let bias: tf.Tensor = tf.scalar(0);
    for (let step = 0; step < steps + more; step++) {
      const [ofWeights, ofBias] = gradients([weights, bias]);
      if (ofWeights === undefined || ofBias === undefined) throw new Error('two gradients were expected');
      weights = tf.sub(weights, tf.mul(ofWeights, direction * learningRate));
      if (biasMoves) bias = tf.sub(bias, tf.mul(ofBias, direction * learningRate));
    }
    return { weights, bias };
  });
}

export default defineExercise<Args>({
  id: 'start/linear-fit',
  title: 'Gradients: fit a line by gradient descent',
  points: 2,
  entry: 'linearFit',
  difficulty: 3,
  minutes: 25,
  signature:
    'linearFit(x: tf.Tensor /* [N, D] */, y: tf.Tensor /* [N] */, options: {steps: number; learningRate: number}): {weights: tf.Tensor /* [D] */; bias: tf.Tensor /* [] */}',
  parameters: ['x', 'y', 'options'],
  tolerance: {
    absolute: 5e-5,
    relative: 5e-5,
    reason: 'up to fifteen float32 steps, each adding its rounding',
  },
  reference: (...args) => fit(args),
  variants: [
    {
      name: 'the gradient by hand: 2·xᵀ·error / N',
      implementation: (x, y, { steps, learningRate }) =>
        tf.tidy(() => {
          const rows = x.shape[0] ?? 1;
          let weights: tf.Tensor = tf.zeros([x.shape[1] ?? 0]);
          let bias: tf.Tensor = tf.scalar(0);
          for (let step = 0; step < steps; step++) {
            const column = tf.reshape(weights, [-1, 1]);
            const errors = tf.sub(tf.add(tf.reshape(tf.matMul(x, column), [-1]), bias), y);
            const slope = tf.reshape(tf.matMul(tf.reshape(errors, [1, -1]), x), [-1]);
            weights = tf.sub(weights, tf.mul(slope, (2 * learningRate) / rows));
            bias = tf.sub(bias, tf.mul(tf.mean(errors), 2 * learningRate));
          }
          return { weights, bias };
        }),
    },
  ],
  mutants: [
    {
      id: 'uphill',
      diagnosis: 'The gradient is added: every step goes uphill and the loss grows. Subtract it.',
      implementation: (...args) => fit(args, { direction: -1 }),
    },
    {
      id: 'loss-summed',
      diagnosis:
        'The squared errors are summed, so that the step grows with the number of rows. Take their mean.',
      implementation: (...args) => fit(args, { loss: (errors) => tf.sum(tf.square(errors)) }),
    },
    {
      id: 'half-the-loss',
      diagnosis:
        'The loss is half the mean of the squares. Here it is the mean itself, so the gradient is twice as large.',
      implementation: (...args) => fit(args, { loss: (errors) => tf.mul(meanSquare(errors), 0.5) }),
    },
    {
      id: 'bias-not-trained',
      diagnosis: 'The bias stays 0. It is a parameter like the weights: give it its gradient too.',
      implementation: (...args) => fit(args, { biasMoves: false }),
    },
    {
      id: 'one-step-too-many',
      diagnosis: 'There is one step too many: make exactly options.steps updates.',
      implementation: (...args) => fit(args, { more: 1 }),
    },
    {
      id: 'one-step-short',
      diagnosis: 'There is one step too few: make exactly options.steps updates.',
      implementation: (...args) => fit(args, { more: -1 }),
    },
    {
      id: 'absolute-errors',
      diagnosis: 'The absolute errors are averaged. Least squares, as asked, averages their squares.',
      implementation: (...args) => fit(args, { loss: (errors) => tf.mean(tf.abs(errors)) }),
    },
  ],
  cases: [
    { name: 'two columns, a few steps', visibility: 'public', inputs: (draw) => inputs(draw, 12, 2, 5, 0.1) },
    { name: 'more steps', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 20, 3, 15, 0.08) },
    { name: 'a single step', visibility: 'hidden', inputs: (draw) => inputs(draw, 7, 4, 1, 0.2) },
  ],
  properties: [noLeak(), inputsUnchanged(), deterministic()],
  hints: [
    'Write the loss as a function of weights and bias. tf.grads makes from it a function that gives the gradient of each.',
    'x [N, D] · weights [D] → predictions [N]; − y [N] → errors [N]; mean of squares → one number. Gradients: [D] for the weights, [] for the bias.',
    'L = mean((x·w + b − y)²); w ← w − η·∂L/∂w and b ← b − η·∂L/∂b, from w = 0 and b = 0, options.steps times. const g = tf.grads((w, b) => …); const [gw, gb] = g([w, b]).',
  ],
});
