/**
 * The gradients of TensorFlow.js' operations. Under Node `@tensorflow/tfjs-core` comes without them: only the umbrella
 * package registers them, when it is loaded. Every file that differentiates imports this one, through core/index.ts.
 */
import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
// The umbrella package also gives tensors their methods (`x.add(y)`); this line lets the compiler know.
import type {} from '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';

/**
 * Comparisons and logic are constant almost everywhere: their gradient is 0. TensorFlow.js knows that of GreaterEqual
 * only, and refuses to differentiate whatever uses another one, a mask made from the scores themselves for example.
 */
const STEPS = [
  tf.Equal,
  tf.Greater,
  tf.Less,
  tf.LessEqual,
  tf.LogicalAnd,
  tf.LogicalOr,
  tf.NotEqual,
] as const;

for (const kernelName of STEPS) {
  if (tf.getGradient(kernelName) !== undefined) continue;
  tf.registerGradient({
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (_dy, [a, b]) => {
      if (a === undefined || b === undefined) throw new Error(`${kernelName}: its inputs were not saved`);
      // Not zerosLike: a gradient must be float32, and the inputs of logic are bool.
      return { a: () => tf.zeros(a.shape), b: () => tf.zeros(b.shape) };
    },
  });
}
if (tf.getGradient(tf.LogicalNot) === undefined) {
  tf.registerGradient({
    kernelName: tf.LogicalNot,
    inputsToSave: ['x'],
    gradFunc: (_dy, [x]) => {
      if (x === undefined) throw new Error('LogicalNot: its input was not saved');
      return { x: () => tf.zeros(x.shape) };
    },
  });
}
