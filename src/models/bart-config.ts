/** BART's configuration, in the names of Hugging Face's `config.json`. */
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
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

const schema = z.object({
  vocab_size: size.default(50_265),
  d_model: size.default(1024),
  max_position_embeddings: size.default(1024),
  encoder_layers: layers.default(12),
  encoder_ffn_dim: size.default(4096),
  encoder_attention_heads: size.default(16),
  decoder_layers: layers.default(12),
  decoder_ffn_dim: size.default(4096),
  decoder_attention_heads: size.default(16),
  activation_function: activationName.default('gelu'),
  dropout: rate.default(0.1),
  attention_dropout: rate.default(0),
  activation_dropout: rate.default(0),
  classifier_dropout: rate.nullish(),
  init_std: spread.default(0.02),
  /** Multiplies the token's vector by √D. */
  scale_embedding: z.boolean().default(false),
  pad_token_id: tokenId.default(1),
  eos_token_id: endTokens.default(2),
  decoder_start_token_id: tokenId.default(2),
  tie_word_embeddings: z.boolean().default(true),
  ...classificationFields,
});

/** The tokens of BART's vocabulary that generation uses. */
const GENERATION_TOKENS = {
  bos_token_id: 0,
  pad_token_id: 1,
  eos_token_id: 2,
  decoder_start_token_id: 2,
  forced_eos_token_id: 2,
};

export type BartConfig = Omit<z.infer<typeof schema>, 'num_labels' | 'problem_type' | 'classifier_dropout'> &
  ClassificationConfig & {
    classifier_dropout: number;
    /** What the file says of generation, with BART's own tokens where it is silent. */
    generation: GenerationOptions;
  };

/** BART's configuration. Layer drop is a matter of training and is not read. @throws InputError naming a wrong field */
export function parseBartConfig(json: unknown): BartConfig {
  const fields = parseWith(schema, json, 'config.json');
  requireDivisible('d_model', fields.d_model, 'encoder_attention_heads', fields.encoder_attention_heads);
  requireDivisible('d_model', fields.d_model, 'decoder_attention_heads', fields.decoder_attention_heads);
  const given = typeof json === 'object' ? json : {};
  return {
    ...fields,
    classifier_dropout: fields.classifier_dropout ?? 0,
    num_labels: numLabelsOf(fields, 3),
    generation: parseGenerationOptions({ ...GENERATION_TOKENS, ...given }, 'config.json'),
  };
}
