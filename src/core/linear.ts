import * as tf from '@tensorflow/tfjs-core';
import { fusedLinear } from './fused.ts';

/** A linear layer's weights in PyTorch's layout, so that files and shapes in messages agree with Hugging Face. */
export interface LinearParams {
  /** [out, in] */
  weight: tf.Tensor;
  /** [out] */
  bias?: tf.Tensor | undefined;
}

/**
 * y = x·Wᵀ + b.
 *
 * @param x [..., in]
 * @returns [..., out]
 */
export function linear(params: LinearParams, x: tf.Tensor): tf.Tensor {
  const [out = 0, width = 0] = params.weight.shape;
  if (x.shape.at(-1) !== width) {
    throw new RangeError(
      `linear: weight [${out}, ${width}] expects inputs of width ${width}, got [${x.shape}]`,
    );
  }
  const composed = (): tf.Tensor => {
    const rows = tf.reshape(x, [-1, width]); // [N, in]
    const product = tf.matMul(rows, params.weight, false, true); // [N, out]
    const y = params.bias === undefined ? product : tf.add(product, params.bias);
    return tf.reshape(y, [...x.shape.slice(0, -1), out]);
  };
  return fusedLinear(x, params.weight, params.bias) ?? tf.tidy(composed);
}
