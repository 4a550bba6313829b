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

/**
 * `tf.logSigmoid` forgets to save its input, so that inside of `tf.tidy` the input is gone when the gradient wants it. Its forward pass
 * is run again on an input that was saved, and the gradient is taken from there.
 */
const engine = tf.engine();
const customGrad = engine.customGrad.bind(engine);
engine.customGrad = <T extends tf.Tensor>(f: CustomGradient<T>) => {
  if (engine.state.activeScope?.name !== 'logSigmoid__op') return customGrad(f);
  return customGrad<T>((x, save) => {
    if (!(x instanceof tf.Tensor) || typeof save !== 'function') return f(x, save);
    save([x]);
    const again = (saved: readonly tf.Tensor[]): tf.Tensor => saved[0] ?? x;
    return { value: f(x, save).value, gradFunc: (dy, saved) => f(again(saved), () => {}).gradFunc(dy, []) };
  });
};

/** A function with a gradient of its own: from inputs and a way to save them to a value and its gradient. */
type CustomGradient<T extends tf.Tensor> = Parameters<typeof engine.customGrad<T>>[0];
