/** What the encoder-decoder families share: their inputs, and the decoder's inputs made from labels. */
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { KeyValueCache } from '../core/cache.ts';
import { IGNORED } from '../core/losses.ts';
import { paddingBias } from '../core/masks.ts';
import { InputError } from '../errors.ts';
import type { DecodingStep } from '../generation/decoding.ts';
import { tensorInput } from './architecture.ts';
import { requireMatrix } from './causal.ts';

export interface EncoderDecoderInputs {
  /** int32 [B, S]; may be left out where `encoderOutputs` is given. */
  inputIds?: tf.Tensor | undefined;
  /** [B, S], 1 = token, 0 = padding, of the encoder's tokens. */
  attentionMask?: tf.Tensor | undefined;
  /** int32 [B, T] */
  decoderInputIds?: tf.Tensor | undefined;
  /** [B, T and what the cache holds] */
  decoderAttentionMask?: tf.Tensor | undefined;
  /** The encoder's states [B, S, D], computed before. */
  encoderOutputs?: tf.Tensor | undefined;
  /** Filled with the decoder's keys and values, and read for the tokens before. */
  cache?: KeyValueCache | undefined;
}

/** The inputs that come from outside. */
export const encoderDecoderInputs = z.strictObject({
  inputIds: tensorInput.optional(),
  attentionMask: tensorInput.optional(),
  decoderInputIds: tensorInput.optional(),
  decoderAttentionMask: tensorInput.optional(),
  encoderOutputs: tensorInput.optional(),
});

/** The inputs of a step of generation. */
export function decodingInputs({ ids, encoder, cache }: DecodingStep): EncoderDecoderInputs {
  return {
    decoderInputIds: ids,
    encoderOutputs: encoder?.states,
    attentionMask: encoder?.attentionMask,
    cache,
  };
}

/**
 * The bias [B, 1, 1, S] that hides the encoder's padding; undefined without a mask.
 * @param source the encoder's tokens [B, S] or states [B, S, D]
 * @throws InputError for a mask of another shape
 */
export function sourceBias(source: tf.Tensor, attentionMask: tf.Tensor | undefined): tf.Tensor | undefined {
  const [batch, length] = source.shape;
  if (!attentionMask) return undefined;
  if (attentionMask.rank !== 2 || attentionMask.shape[0] !== batch || attentionMask.shape[1] !== length) {
    throw new InputError(`attentionMask: expected [${batch}, ${length}], got [${attentionMask.shape}]`);
  }
  return paddingBias(attentionMask);
}

/**
 * Labels one place to the right, behind the token that starts a decoder, with −100 read as padding: what the
 * decoder sees when it must predict the labels.
 * @param labels int32 [B, T]
 */
export function shiftRight(
  labels: tf.Tensor,
  config: { decoder_start_token_id?: number | null | undefined; pad_token_id?: number | null | undefined },
): tf.Tensor {
  const { decoder_start_token_id: start, pad_token_id: pad } = config;
  if (typeof start !== 'number' || typeof pad !== 'number') {
    throw new InputError(
      'config: decoder_start_token_id and pad_token_id must be set to make decoder inputs from labels',
    );
  }
  const length = requireMatrix('inputIds and labels', labels);
  return tf.tidy(() => {
    const [batch = 0] = labels.shape;
    const before = tf.slice(labels, [0, 0], [batch, length - 1]);
    const shifted = tf.concat([tf.fill([batch, 1], start, 'int32'), before], 1);
    return tf.where(tf.equal(shifted, IGNORED), tf.fill([batch, length], pad, 'int32'), shifted);
  });
}
