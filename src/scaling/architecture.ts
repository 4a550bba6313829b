/**
 * What a configuration says of a transformer's sizes, for all families in the same words: enough to count parameters and
 * operations exactly. A configuration here is a `config.json` object, with `model_type`.
 */
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import { InputError } from '../errors.ts';

/** A stack of equal layers. */
export interface Stack {
  layers: number;
  /** Query heads H, and the key and value heads Hkv that they share. */
  heads: number;
  keyValueHeads: number;
  /** Head width d. */
  headWidth: number;
  /** Feed-forward width F. */
  feedForward: number;
  /** Matrices of a feed-forward layer: 2, or 3 where it is gated. */
  feedForwardMatrices: 2 | 3;
  /** Tokens see themselves and those before; otherwise everything. */
  causal: boolean;
}

export interface Architecture {
  /** Model width D. */
  width: number;
  vocabulary: number;
  encoder?: Stack;
  decoder?: Stack;
  /** Width of the vocabulary's table: D, unless embeddings are factorised. */
  embeddingWidth: number;
  /** Weights of the projection from the table to the layers, 0 without one. */
  embeddingProjection: number;
  /** Weights between the last states and the table that scores the vocabulary, 0 without any. */
  headProjection: number;
}

const count = z.int().positive();

const encoderSchema = z.object({
  vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  intermediate_size: count,
  embedding_size: count.optional(),
  inner_group_num: count.optional(),
});

const gptSchema = z.object({
  vocab_size: count,
  n_embd: count,
  n_layer: count,
  n_head: count,
  n_inner: count.nullish(),
});

const llamaSchema = z.object({
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
});

const bartSchema = z.object({
  vocab_size: count,
  d_model: count,
  encoder_layers: count,
  encoder_ffn_dim: count,
  encoder_attention_heads: count,
  decoder_layers: count,
  decoder_ffn_dim: count,
  decoder_attention_heads: count,
});

const t5Schema = z.object({
  vocab_size: count,
  d_model: count,
  d_kv: count,
  d_ff: count,
  num_layers: count,
  num_decoder_layers: count.nullish(),
  num_heads: count,
  feed_forward_proj: z.string().default('relu'),
});

/** The sizes that a `config.json` states. @throws InputError for an unknown `model_type` or a missing size */
export function describeArchitecture(config: unknown): Architecture {
  const { model_type: family } = parseWith(z.object({ model_type: z.string() }), config, 'config');
  switch (family) {
    case 'bert':
    case 'roberta':
    case 'albert':
    case 'electra':
      return encoderOnly(family, parseWith(encoderSchema, config, 'config'));
    case 'openai-gpt':
    case 'gpt2': {
      const { vocab_size, n_embd, n_layer, n_head, n_inner } = parseWith(gptSchema, config, 'config');
      const decoder = stack(n_layer, n_head, n_embd / n_head, n_inner ?? 4 * n_embd, { causal: true });
      return { ...plain(n_embd, vocab_size), decoder };
    }
    case 'llama':
      return llama(parseWith(llamaSchema, config, 'config'));
    case 'bart':
      return bart(parseWith(bartSchema, config, 'config'));
    case 't5':
      return t5(parseWith(t5Schema, config, 'config'));
    default:
      throw new InputError(`config: model_type ${JSON.stringify(family)} is none of the eight families`);
  }
}

function stack(
  layers: number,
  heads: number,
  headWidth: number,
  feedForward: number,
  rest: { causal: boolean; keyValueHeads?: number; gated?: boolean },
): Stack {
  const { causal, keyValueHeads = heads, gated = false } = rest;
  return { layers, heads, keyValueHeads, headWidth, feedForward, feedForwardMatrices: gated ? 3 : 2, causal };
}

/** What the families without factorised embeddings have in common. */
function plain(width: number, vocabulary: number) {
  return { width, vocabulary, embeddingWidth: width, embeddingProjection: 0, headProjection: 0 };
}

function encoderOnly(family: string, config: z.infer<typeof encoderSchema>): Architecture {
  const { hidden_size: width, num_attention_heads: heads, vocab_size, inner_group_num = 1 } = config;
  const factorised = family === 'albert' || family === 'electra';
  // ALBERT's and ELECTRA's configurations have 128 where they are silent.
  const embeddingWidth = factorised ? (config.embedding_size ?? 128) : width;
  const layers = config.num_hidden_layers * (family === 'albert' ? inner_group_num : 1);
  const projected = family === 'albert' || embeddingWidth !== width;
  return {
    width,
    vocabulary: vocab_size,
    embeddingWidth,
    embeddingProjection: projected ? embeddingWidth * width : 0,
    headProjection: embeddingWidth * width,
    encoder: stack(layers, heads, width / heads, config.intermediate_size, { causal: false }),
  };
}

function llama(config: z.infer<typeof llamaSchema>): Architecture {
  const { hidden_size: width, num_attention_heads: heads, vocab_size } = config;
  const decoder = stack(
    config.num_hidden_layers,
    heads,
    config.head_dim ?? width / heads,
    config.intermediate_size,
    { causal: true, gated: true, keyValueHeads: config.num_key_value_heads ?? heads },
  );
  return { ...plain(width, vocab_size), decoder };
}

function bart(config: z.infer<typeof bartSchema>): Architecture {
  const { d_model: width, vocab_size } = config;
  const side = (layers: number, heads: number, inner: number, causal: boolean): Stack =>
    stack(layers, heads, width / heads, inner, { causal });
  return {
    ...plain(width, vocab_size),
    encoder: side(config.encoder_layers, config.encoder_attention_heads, config.encoder_ffn_dim, false),
    decoder: side(config.decoder_layers, config.decoder_attention_heads, config.decoder_ffn_dim, true),
  };
}

function t5(config: z.infer<typeof t5Schema>): Architecture {
  const { d_model: width, vocab_size, num_layers, num_heads, d_kv, d_ff } = config;
  const gated = config.feed_forward_proj.startsWith('gated');
  const side = (layers: number, causal: boolean): Stack =>
    stack(layers, num_heads, d_kv, d_ff, { causal, gated });
  return {
    ...plain(width, vocab_size),
    encoder: side(num_layers, false),
    decoder: side(config.num_decoder_layers ?? num_layers, true),
  };
}
