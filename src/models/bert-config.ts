/** The configurations of BERT and its kin, RoBERTa, ALBERT and ELECTRA, under the names of Hugging Face's config.json. */
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import { classificationFields, numLabelsOf } from './classification.ts';
import { activationName, layers, rate, requireDivisible, size, spread, tokenId } from './config.ts';

/** The fields that all four families have. Sizes must be given; the rest has Hugging Face's defaults. */
export const encoderFields = {
  vocab_size: size,
  hidden_size: size,
  num_hidden_layers: layers,
  num_attention_heads: size,
  intermediate_size: size,
  max_position_embeddings: size,
  type_vocab_size: size.default(2),
  hidden_act: activationName.default('gelu'),
  hidden_dropout_prob: rate.default(0.1),
  attention_probs_dropout_prob: rate.default(0.1),
  classifier_dropout: rate.nullish(),
  initializer_range: spread.default(0.02),
  layer_norm_eps: z.number().positive().default(1e-12),
  pad_token_id: tokenId,
  tie_word_embeddings: z.boolean().default(true),
  position_embedding_type: z.literal('absolute', 'only absolute positions are supported').nullish(),
  is_decoder: z.literal(false, 'only encoders are supported').nullish(),
  add_cross_attention: z.literal(false, 'only encoders are supported').nullish(),
  ...classificationFields,
};

const bertSchema = z.object({ ...encoderFields, pad_token_id: tokenId.default(0) });

/** What the shared functions of the four families read. */
export interface EncoderConfig extends z.infer<z.ZodObject<typeof encoderFields>> {
  num_labels: number;
  /** the width of the embeddings, `hidden_size` unless they are factorised (ALBERT, ELECTRA) */
  embedding_size: number;
  /** the row of the position table that stands for padding and learns nothing (RoBERTa) */
  position_padding_id?: number | undefined;
}

export type BertConfig = EncoderConfig;

/** Completes what a family's schema has parsed. */
export function encoderConfig(
  fields: z.infer<z.ZodObject<typeof encoderFields>> & { embedding_size?: number | undefined },
): EncoderConfig {
  requireDivisible('hidden_size', fields.hidden_size, 'num_attention_heads', fields.num_attention_heads);
  return {
    ...fields,
    num_labels: numLabelsOf(fields),
    embedding_size: fields.embedding_size ?? fields.hidden_size,
  };
}

/** Reads BERT's config.json. @throws InputError naming the field that is missing or wrong. */
export function parseBertConfig(json: unknown): BertConfig {
  return encoderConfig(parseWith(bertSchema, json, 'config.json'));
}
