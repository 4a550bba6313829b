/** What the sequence classification heads of all families share: which row is classified, and the loss. */
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { binaryCrossEntropy, crossEntropy, meanSquaredError } from '../core/losses.ts';
import { InputError } from '../errors.ts';

export const problemTypeSchema = z.enum([
  'regression',
  'single_label_classification',
  'multi_label_classification',
]);

/** The fields of a `config.json` that describe a classification head. */
export const classificationFields = {
  num_labels: z.int().positive().nullish(),
  id2label: z.record(z.string(), z.string()).nullish(),
  problem_type: problemTypeSchema.nullish(),
};

export interface ClassificationConfig {
  num_labels: number;
  problem_type?: z.infer<typeof problemTypeSchema> | null | undefined;
}

/** The number of classes: of `id2label` where the configuration has it, else `num_labels`, else the family's default. */
export function numLabelsOf(
  fields: { num_labels?: number | null | undefined; id2label?: Record<string, string> | null | undefined },
  fallback = 2,
): number {
  if (fields.id2label) return Object.keys(fields.id2label).length;
  return fields.num_labels ?? fallback;
}

/**
 * The loss of a classification head: mean squared error, cross entropy or binary cross entropy. Where the
 * configuration does not say which, one label is a regression, whole-number labels are classes, others are one
 * yes or no for each class.
 * @param logits [B, C]
 * @param labels [B] int32 classes, [B] or [B, C] numbers, or [B, C] of 0 and 1
 */
export function sequenceClassificationLoss(
  logits: tf.Tensor,
  labels: tf.Tensor,
  config: ClassificationConfig,
): tf.Scalar {
  return tf.tidy(() => {
    switch (config.problem_type ?? impliedProblem(labels, config)) {
      case 'regression':
        return meanSquaredError(logits, tf.reshape(tf.cast(labels, 'float32'), logits.shape));
      case 'single_label_classification':
        return crossEntropy(logits, tf.reshape(labels, [-1]));
      case 'multi_label_classification':
        return binaryCrossEntropy(logits, tf.cast(labels, 'float32'));
    }
  });
}

function impliedProblem(labels: tf.Tensor, { num_labels }: ClassificationConfig) {
  if (num_labels === 1) return 'regression';
  return labels.dtype === 'int32' ? 'single_label_classification' : 'multi_label_classification';
}

/** The last position of each row where the mask [B, T] is not 0, int32 [B]; the first if there is none. */
export function lastPosition(mask: tf.Tensor): tf.Tensor1D {
  return tf.tidy(() => {
    const [, length = 0] = mask.shape;
    return tf.argMax<tf.Tensor1D>(tf.mul(tf.cast(mask, 'float32'), tf.range(0, length)), -1);
  });
}

/** The rows of x [B, T, C] at one position for each of the batch, [B, C]. */
export function rowsAt(x: tf.Tensor, positions: tf.Tensor1D): tf.Tensor2D {
  return tf.tidy(() => {
    const [, length = 0] = x.shape;
    const chosen = tf.expandDims(tf.cast(tf.oneHot(tf.cast(positions, 'int32'), length), 'float32'), -1);
    return tf.sum<tf.Tensor2D>(tf.mul(x, chosen), 1);
  });
}

/**
 * The logits of the last token that is not padding, [B, C], padded on either side, as GPT-2 and LLaMA classify.
 * @param logits [B, T, C]
 * @param inputIds [B, T]
 */
export function lastTokenLogits(
  logits: tf.Tensor,
  inputIds: tf.Tensor,
  padTokenId: number | null | undefined,
): tf.Tensor2D {
  const [batch = 0, length = 0] = inputIds.shape;
  if (typeof padTokenId === 'number') {
    return tf.tidy(() => rowsAt(logits, lastPosition(tf.notEqual(inputIds, padTokenId))));
  }
  if (batch !== 1) {
    throw new InputError(`config: pad_token_id must be set to classify more than one sequence, got ${batch}`);
  }
  return tf.tidy(() => rowsAt(logits, tf.tensor1d([length - 1], 'int32')));
}
