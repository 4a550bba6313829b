/** The configurations of GPT, GPT-2 and GPT-3, in the names of Hugging Face's `config.json`. */
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import { InputError } from '../errors.ts';
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

export interface GptConfig extends ClassificationConfig {
  vocab_size: number;
  n_positions: number;
  n_embd: number;
  n_layer: number;
  n_head: number;
  /** Feed-forward width. */
  n_inner: number;
  activation_function: string;
  resid_pdrop: number;
  embd_pdrop: number;
  attn_pdrop: number;
  layer_norm_epsilon: number;
  initializer_range: number;
  /** False leaves 1/√d out of the scores. */
  scale_attn_weights: boolean;
  /** Divides the scores by the layer's number too. */
  scale_attn_by_inverse_layer_idx: boolean;
  /** Norms stand before attention and feed-forward, and one after the last layer: GPT-2. After them: GPT. */
  norm_first: boolean;
  tie_word_embeddings: boolean;
  pad_token_id?: number | null | undefined;
  eos_token_id?: number | number[] | null | undefined;
  /** What the file says of generation. */
  generation: GenerationOptions;
}

const sharedFields = {
  n_embd: size.default(768),
  n_layer: layers.default(12),
  n_head: size.default(12),
  resid_pdrop: rate.default(0.1),
  embd_pdrop: rate.default(0.1),
  attn_pdrop: rate.default(0.1),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  initializer_range: spread.default(0.02),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: tokenId,
  eos_token_id: endTokens,
  ...classificationFields,
};

const openAIGptSchema = z.object({
  ...sharedFields,
  vocab_size: size.default(40_478),
  n_positions: size.default(512),
  afn: z.string().default('gelu'),
});

const gpt2Schema = z.object({
  ...sharedFields,
  vocab_size: size.default(50_257),
  n_positions: size.default(1024),
  n_inner: size.nullish(),
  activation_function: activationName.default('gelu_new'),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  add_cross_attention: z.boolean().default(false),
});

/** What GPT's `afn` names: its "gelu" is the tanh approximation. */
const GPT_ACTIVATIONS: Readonly<Record<string, string>> = {
  gelu: 'gelu_new',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
};

/** GPT's configuration. @throws InputError naming the field that is wrong */
export function parseOpenAIGptConfig(json: unknown): GptConfig {
  const { afn, ...fields } = parseWith(openAIGptSchema, json, 'config.json');
  requireDivisible('n_embd', fields.n_embd, 'n_head', fields.n_head);
  const activation = Object.hasOwn(GPT_ACTIVATIONS, afn) ? GPT_ACTIVATIONS[afn] : undefined;
  if (activation === undefined) {
    const known = Object.keys(GPT_ACTIVATIONS).join(', ');
    throw new InputError(`config.json: afn must be one of ${known}, got ${JSON.stringify(afn)}`);
  }
  return {
    ...fields,
    n_inner: 4 * fields.n_embd,
    activation_function: activation,
    scale_attn_weights: true,
    scale_attn_by_inverse_layer_idx: false,
    norm_first: false,
    num_labels: numLabelsOf(fields),
    generation: parseGenerationOptions(json, 'config.json'),
  };
}

/** GPT-2's configuration. @throws InputError naming the field that is wrong */
export function parseGpt2Config(json: unknown): GptConfig {
  const fields = parseWith(gpt2Schema, json, 'config.json');
  requireDivisible('n_embd', fields.n_embd, 'n_head', fields.n_head);
  if (fields.add_cross_attention) {
    throw new InputError('config.json: add_cross_attention is not supported, expected false');
  }
  return {
    ...fields,
    n_inner: fields.n_inner ?? 4 * fields.n_embd,
    norm_first: true,
    num_labels: numLabelsOf(fields),
    generation: parseGenerationOptions(json, 'config.json'),
  };
}

/**
 * The sizes of GPT-3 (Brown et al., 2020, table 2.1): layers, width, heads. The architecture is GPT-2's; half of its
 * layers attend to a local band, of a width that the paper does not state, so all layers here attend to everything.
 * Two rows of the table do not add up (XL: 24 heads of 128 in a width of 2048; 13B: 40 heads of 128 in 5140): here XL
 * has 16 heads and 13B a width of 5120.
 */
export const GPT3_SIZES = {
  small: { n_layer: 12, n_embd: 768, n_head: 12 },
  medium: { n_layer: 24, n_embd: 1024, n_head: 16 },
  large: { n_layer: 24, n_embd: 1536, n_head: 16 },
  xl: { n_layer: 24, n_embd: 2048, n_head: 16 },
  '2.7b': { n_layer: 32, n_embd: 2560, n_head: 32 },
  '6.7b': { n_layer: 32, n_embd: 4096, n_head: 32 },
  '13b': { n_layer: 40, n_embd: 5120, n_head: 40 },
  '175b': { n_layer: 96, n_embd: 12_288, n_head: 96 },
} as const;

/** GPT-3 of the given size, as a configuration of this family: a context of 2048 tokens, GPT-2's vocabulary. */
export function gpt3Config(name: keyof typeof GPT3_SIZES): GptConfig {
  return parseGpt2Config({ ...GPT3_SIZES[name], n_positions: 2048, vocab_size: 50_257 });
}
