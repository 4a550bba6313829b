/** LLaMA's configuration, in the names of Hugging Face's `config.json`. */
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import { parseRotary, type RotaryConfig, rotaryFieldsSchema } from '../core/rotary.ts';
import { type GenerationOptions, parseGenerationOptions } from '../generation/options.ts';
import { type ClassificationConfig, classificationFields, numLabelsOf } from './classification.ts';
import {
  activationName,
  endTokens,
  layers,
  rate,
  requireDivisible,
  size,
  spread,
  tokenId,
} from './config.ts';

export interface LlamaConfig extends ClassificationConfig {
  vocab_size: number;
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  /** Equal to the heads: multi-head; fewer: grouped; 1: multi-query attention. */
  num_key_value_heads: number;
  head_dim: number;
  hidden_act: string;
  max_position_embeddings: number;
  initializer_range: number;
  rms_norm_eps: number;
  attention_bias: boolean;
  attention_dropout: number;
  mlp_bias: boolean;
  rotary: RotaryConfig;
  tie_word_embeddings: boolean;
  pad_token_id?: number | null | undefined;
  eos_token_id?: number | number[] | null | undefined;
  /** What the file says of generation. */
  generation: GenerationOptions;
}

const schema = rotaryFieldsSchema.extend({
  vocab_size: size.default(32_000),
  hidden_size: size.default(4096),
  intermediate_size: size.default(11_008),
  num_hidden_layers: layers.default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: activationName.default('silu'),
  max_position_embeddings: size.default(2048),
  initializer_range: spread.default(0.02),
  rms_norm_eps: z.number().positive().default(1e-6),
  attention_bias: z.boolean().default(false),
  attention_dropout: rate.nullish(),
  mlp_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
  pad_token_id: tokenId,
  eos_token_id: endTokens,
  ...classificationFields,
});

/** LLaMA's configuration, rotary settings in the old spelling or the new. @throws InputError naming a wrong field */
export function parseLlamaConfig(json: unknown): LlamaConfig {
  const fields = parseWith(schema, json, 'config.json');
  const heads = fields.num_attention_heads;
  const groups = fields.num_key_value_heads ?? heads;
  if (fields.head_dim == null)
    requireDivisible('hidden_size', fields.hidden_size, 'num_attention_heads', heads);
  requireDivisible('num_attention_heads', heads, 'num_key_value_heads', groups);
  const headWidth = fields.head_dim ?? fields.hidden_size / heads;
  return {
    ...fields,
    num_key_value_heads: groups,
    head_dim: headWidth,
    attention_dropout: fields.attention_dropout ?? 0,
    rotary: parseRotary(fields, { headWidth, maxPositions: fields.max_position_embeddings }),
    num_labels: numLabelsOf(fields),
    generation: parseGenerationOptions(json, 'config.json'),
  };
}
