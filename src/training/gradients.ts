/** Gradients of a loss with respect to named parameters, and keeping them from exploding. */

import * as tf from '@tensorflow/tfjs-core';

/**
 * Scales gradients together so that their norm, taken over all of them as one vector, is at most `maxNorm`: the
 * numbers of `torch.nn.utils.clip_grad_norm_` (Pascanu et al., 2013, Algorithm 1).
 *
 * The scale is a tensor, so nothing is read back. Made to be called within a `tidy`.
 *
 * @returns the clipped gradients, and the norm before clipping as a scalar
 */
export function clipByGlobalNorm(
  gradients: ReadonlyMap<string, tf.Tensor>,
  maxNorm: number,
): { gradients: Map<string, tf.Tensor>; norm: tf.Scalar } {
  const squares = [...gradients.values()].map((gradient) => tf.sum(tf.square(gradient)));
  const norm = tf.sqrt<tf.Scalar>(tf.sum(tf.stack(squares)));
  const scale = tf.minimum(tf.div(maxNorm, tf.add(norm, 1e-6)), 1);
  const clipped = new Map([...gradients].map(([name, gradient]) => [name, tf.mul(gradient, scale)]));
  return { gradients: clipped, norm };
}

/** The sum of two sets of gradients, where a parameter may have one in either, both or none. */
export function addGradients(
  a: ReadonlyMap<string, tf.Tensor>,
  b: ReadonlyMap<string, tf.Tensor>,
): Map<string, tf.Tensor> {
  const sum = new Map(a);
  for (const [name, gradient] of b) {
    const other = sum.get(name);
    sum.set(name, other === undefined ? gradient : tf.add(other, gradient));
  }
  return sum;
}
