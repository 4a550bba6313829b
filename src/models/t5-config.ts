/** T5's configuration, in the names of Hugging Face's `config.json`. */
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import { isActivationName } from '../core/activations.ts';
import type { RelativePositionConfig } from '../core/relative-position.ts';
import { InputError } from '../errors.ts';
import { type GenerationOptions, parseGenerationOptions } from '../generation/options.ts';
import { endTokens, layers, rate, size, spread, tokenId } from './config.ts';

const schema = z.object({
  vocab_size: size.default(32_128),
  d_model: size.default(512),
  /** Head width; heads · width need not be d_model. */
  d_kv: size.default(64),
  d_ff: size.default(2048),
  num_layers: layers.default(6),
  num_decoder_layers: layers.nullish(),
  num_heads: size.default(8),
  relative_attention_num_buckets: z.int().min(4).default(32),
  relative_attention_max_distance: size.default(128),
  dropout_rate: rate.default(0.1),
  layer_norm_epsilon: z.number().positive().default(1e-6),
  initializer_factor: spread.default(1),
  feed_forward_proj: z.string().default('relu'),
  scale_decoder_outputs: z.boolean().nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  pad_token_id: tokenId.default(0),
  eos_token_id: endTokens,
  decoder_start_token_id: tokenId,
});

/** The tokens of T5's vocabulary that generation uses. */
const GENERATION_TOKENS = { pad_token_id: 0, eos_token_id: 1 };

export type T5Config = Omit<
  z.infer<typeof schema>,
  'num_decoder_layers' | 'scale_decoder_outputs' | 'tie_word_embeddings'
> & {
  num_decoder_layers: number;
  /** Gated feed-forward: version 1.1. */
  gated: boolean;
  /** What `feed_forward_proj` names. */
  activation: string;
  /** The head gets states scaled by d_model^−½. */
  scale_decoder_outputs: boolean;
  /** New parameters share the head with the table. Loaded ones do as the checkpoint does. */
  tie_word_embeddings: boolean;
  /** What the file says of generation, with T5's own tokens where it is silent. */
  generation: GenerationOptions;
  relative_positions: Omit<RelativePositionConfig, 'bidirectional'>;
};

/**
 * T5's configuration. `tie_word_embeddings: false` is how version 1.1 was told apart: the head is its own and nothing
 * is scaled; newer files say `scale_decoder_outputs` instead, and the checkpoint shows whether the head is tied.
 * @throws InputError naming a wrong field
 */
export function parseT5Config(json: unknown): T5Config {
  const fields = parseWith(schema, json, 'config.json');
  const given = typeof json === 'object' ? json : {};
  const tied = fields.tie_word_embeddings ?? true;
  const buckets = fields.relative_attention_num_buckets;
  const maxDistance = fields.relative_attention_max_distance;
  if (buckets % 2 !== 0 || maxDistance <= buckets / 2) {
    throw new InputError(
      `config.json: relative_attention_num_buckets must be even and at most twice relative_attention_max_distance, got ${buckets} and ${maxDistance}`,
    );
  }
  return {
    ...fields,
    ...feedForwardKind(fields.feed_forward_proj),
    num_decoder_layers: fields.num_decoder_layers ?? fields.num_layers,
    scale_decoder_outputs: fields.scale_decoder_outputs ?? tied,
    tie_word_embeddings: tied,
    generation: parseGenerationOptions({ ...GENERATION_TOKENS, ...given }, 'config.json'),
    relative_positions: { numBuckets: buckets, maxDistance },
  };
}

/** `relu`, or `gated-` and an activation. The name "gated-gelu" has always meant the tanh approximation. */
function feedForwardKind(name: string): { gated: boolean; activation: string } {
  if (name === 'gated-gelu') return { gated: true, activation: 'gelu_new' };
  const match = /^(gated-)?([a-z0-9_]+)$/.exec(name);
  const [, gate, activation] = match ?? [];
  if (activation === undefined || !isActivationName(activation)) {
    throw new InputError(
      `config.json: feed_forward_proj must be an activation or "gated-" and one, got ${JSON.stringify(name)}`,
    );
  }
  return { gated: gate !== undefined, activation };
}
