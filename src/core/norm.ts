import * as tf from '@tensorflow/tfjs-core';
import { fusedNorm } from './fused.ts';

export interface LayerNormParams {
  /** [D], the gain γ */
  weight: tf.Tensor;
  /** [D], the shift β */
  bias: tf.Tensor;
}

export interface RmsNormParams {
  /** [D], the gain */
  weight: tf.Tensor;
}

/**
 * Layer normalisation over the last axis, with the population variance and eps inside the root
 * (Ba, Kiros and Hinton, 2016, "Layer normalization", equation 4).
 *
 * @param x [..., D]
 * @returns [..., D]
 */
export function layerNorm<T extends tf.Tensor>(params: LayerNormParams, x: T, eps: number): T {
  const composed = (): T => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    const normed = tf.mul(centred, tf.rsqrt(tf.add(variance, eps)));
    return tf.add<T>(tf.mul(normed, params.weight), params.bias);
  };
  return fusedNorm(x, params.weight, params.bias, eps) ?? tf.tidy(composed);
}

/**
 * Root-mean-square normalisation: no mean is subtracted and nothing is shifted
 * (Zhang and Sennrich, 2019, "Root mean square layer normalization", equation 4).
 *
 * @param x [..., D]
 * @returns [..., D]
 */
export function rmsNorm<T extends tf.Tensor>(params: RmsNormParams, x: T, eps: number): T {
  const composed = (): T => {
    const meanSquare = tf.mean(tf.square(x), -1, true);
    return tf.mul<T>(tf.mul(x, tf.rsqrt(tf.add(meanSquare, eps))), params.weight);
  };
  return fusedNorm(x, params.weight, undefined, eps) ?? tf.tidy(composed);
}
