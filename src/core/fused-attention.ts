/** Attention and its softmax as one kernel each, in the way of fused.ts. attention.ts has the formulas. */

import * as tf from '@tensorflow/tfjs-core';
import { defined, hasKernel, isFloat, named, refuseSecondDerivative, run, runMany } from './fused.ts';
import { MASKED } from './masks.ts';

/** A row whose largest score is not above it sees nothing. */
const THRESHOLD = MASKED / 2;

/** Whether a bias [1 or B, 1 or H, 1 or T, S] goes with scores [B, H, T, S]. */
function fitsScores(bias: tf.Tensor, scores: readonly number[]): boolean {
  return bias.rank === 4 && bias.shape.every((n, axis) => n === scores[axis] || (n === 1 && axis < 3));
}

/** maskedSoftmax(scores + bias); undefined if it must be composed. */
export function fusedMaskedSoftmax<T extends tf.Tensor>(scores: T, bias: tf.Tensor): T | undefined {
  if (!hasKernel('LabMaskedSoftmax') || scores.rank !== 4 || !isFloat(scores, bias)) return undefined;
  if (!fitsScores(bias, scores.shape)) return undefined;
  return run<T>('LabMaskedSoftmax', { scores, bias }, { threshold: THRESHOLD });
}

tf.registerGradient({
  kernelName: 'LabMaskedSoftmax',
  inputsToSave: ['bias'],
  outputsToSave: [true],
  gradFunc: (dy, [bias, p]) => {
    const dScores = run('LabSoftmaxGradient', named({ p, dy }));
    return { scores: () => dScores, bias: () => sumTo(dScores, defined(bias)) };
  },
});

/** What scores [B, H, T, S] hand back to a bias that was broadcast to them. */
function sumTo(dScores: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const repeated = [0, 1, 2].filter((axis) => bias.shape[axis] !== dScores.shape[axis]);
  return repeated.length === 0 ? dScores : tf.sum(dScores, repeated, true);
}

/**
 * softmax(q·kᵀ·scale + bias)·v without keeping the probabilities; undefined if it must be composed.
 *
 * @param q [B, H, T, d]
 * @param k [B, Hkv, C, d]
 * @param v [B, Hkv, C, d]
 * @param options.keys how many of the C keys count
 */
export function fusedAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: { bias: tf.Tensor | undefined; scale: number; keys: number },
): tf.Tensor4D | undefined {
  const { scale, keys } = options;
  const [batch, heads, queries, width] = q.shape;
  const [keyBatch, groups, room, keyWidth] = k.shape;
  if (keyBatch !== batch || keyWidth !== width || heads % groups !== 0) return undefined;
  if (!tf.util.arraysEqual(v.shape.slice(0, 3), [batch, groups, room])) return undefined;
  if (!hasKernel('LabAttention') || !isFloat(q, k, v, options.bias)) return undefined;
  if (options.bias && !fitsScores(options.bias, [batch, heads, queries, keys])) return undefined;
  return tf.tidy(() => {
    const bias = options.bias ?? tf.zeros([1, 1, 1, keys]);
    const [output] = tf
      .engine()
      .runKernel<tf.Tensor4D[]>('LabAttention', { q, k, v, bias }, { scale, keys, threshold: THRESHOLD });
    if (output === undefined) throw new Error('LabAttention gave nothing');
    return output;
  });
}

tf.registerGradient({
  kernelName: 'LabAttention',
  inputsToSave: ['q', 'k', 'v', 'bias'],
  outputsToSave: [true, true],
  gradFunc: (dy, [q, k, v, bias, y, logSums], attrs) => {
    const inputs = named({ q, k, v, bias, y, logSums, dy });
    const [dq, dk, dv] = runMany('LabAttentionGradient', inputs, attrs);
    const scores = (): tf.Tensor => run('LabAttentionBiasGradient', inputs, attrs);
    return {
      q: () => defined(dq),
      k: () => defined(dk),
      v: () => defined(dv),
      bias: () => sumTo(scores(), defined(bias)),
    };
  },
});

/** Whether tensors can be written into: the backend has the kernel, and no gradient is recorded that would need the old. */
export function canWrite(): boolean {
  return tf.engine().state.gradientDepth === 0 && hasKernel('LabCacheWrite');
}

/** buffer[b, :, position : position + count, :] = update[rows[b], :, 0 : count, :] for each row b of the buffer, in place. */
export function write(
  buffer: tf.Tensor4D,
  update: tf.Tensor4D,
  where: { position: number; count: number; rows: number[] },
): void {
  run('LabCacheWrite', { buffer, update }, { ...where }).dispose();
}

for (const kernel of ['LabSoftmaxGradient', 'LabAttentionGradient', 'LabAttentionBiasGradient']) {
  refuseSecondDerivative(kernel);
}
