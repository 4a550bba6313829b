/**
 * Sine and cosine to float32's precision. WGSL asks of a GPU only an absolute error of 2⁻¹¹ (WebGPU Shading Language,
 * "Accuracy of built-in functions"), which is seen in the logits of a model with rotary positions.
 */

import * as tf from '@tensorflow/tfjs-core';

/** π/2 in three parts of few bits: their products with a whole number below 2¹² are exact. */
const HALF_PI = [1.5703125, 4.837512969970703e-4, 7.54978995489188e-8] as const;

/** Replaces the two kernels of the webgpu backend. */
export function registerTrigonometry(): void {
  for (const [kernelName, quarter] of [
    ['Sin', 0],
    ['Cos', 1],
  ] as const) {
    tf.unregisterKernel(kernelName, 'webgpu');
    tf.registerKernel({
      kernelName,
      backendName: 'webgpu',
      kernelFunc: ({ inputs: { x } }) => {
        if (!(x instanceof tf.Tensor)) throw new TypeError(`${kernelName}: expected a tensor`);
        return sineOf(x, quarter);
      },
    });
  }
}

/** sin(x + quarter · π/2), by the Taylor series about the nearest multiple of π/2. */
function sineOf(x: tf.Tensor, quarter: number): tf.Tensor {
  return tf.tidy(() => {
    const turns = tf.round(tf.mul(x, 2 / Math.PI));
    const rest = HALF_PI.reduce((left, part) => tf.sub(left, tf.mul(turns, part)), x); // |rest| ≤ π/4
    const square = tf.square(rest);
    const series = (coefficients: readonly number[]): tf.Tensor =>
      coefficients.reduceRight<tf.Tensor>(
        (sum, coefficient) => tf.add(tf.mul(sum, square), coefficient),
        tf.zerosLike(x),
      );
    const sine = tf.mul(rest, series([1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880]));
    const cosine = series([1, -1 / 2, 1 / 24, -1 / 720, 1 / 40320]);
    // The quadrant says which of the two, and its sign.
    const quadrant = tf.add(turns, quarter);
    const isOdd = tf.sub(quadrant, tf.mul(tf.floor(tf.mul(quadrant, 0.5)), 2));
    const halfTurns = tf.floor(tf.mul(quadrant, 0.5));
    const isNegative = tf.sub(halfTurns, tf.mul(tf.floor(tf.mul(halfTurns, 0.5)), 2));
    const value = tf.add(tf.mul(sine, tf.sub(1, isOdd)), tf.mul(cosine, isOdd));
    return tf.mul(value, tf.sub(1, tf.mul(isNegative, 2)));
  });
}
