/** Where BART's parameters are in a Hugging Face checkpoint, and how they are drawn at first. */
import {
  layerNormWeights,
  linearWeights,
  type ModelWeights,
  tableWeights,
  type WeightMap,
} from '../checkpoints/weight-map.ts';
import type { AttentionParams } from '../core/attention.ts';
import type {
  BartBlockParams,
  BartForConditionalGenerationParams,
  BartForSequenceClassificationParams,
  BartParams,
  BartStackParams,
} from './bart.ts';
import type { BartConfig } from './bart-config.ts';

const BASE = 'model';
/** Parts of the other classes. */
const HEADS = [/^lm_head\./, /^final_logits_bias$/, /^classification_head\./];

/** BartModel. */
export function bartWeights(config: BartConfig): ModelWeights<BartParams> {
  return { map: bodyMap(config), ignored: HEADS, basePrefix: BASE };
}

/** BartForConditionalGeneration. */
export function bartForConditionalGenerationWeights(
  config: BartConfig,
): ModelWeights<BartForConditionalGenerationParams> {
  const { vocab_size, d_model, init_std: std, tie_word_embeddings } = config;
  const body = bodyMap(config);
  const head = tableWeights('lm_head.weight', vocab_size, d_model, { std });
  const bias = { name: 'final_logits_bias', shape: [1, vocab_size], optional: true, init: { constant: 0 } };
  return {
    map: {
      ...body,
      head: tie_word_embeddings ? { ...head, tiedTo: body.shared.name } : head,
      finalLogitsBias: bias,
    },
    ignored: [/^classification_head\./],
    basePrefix: BASE,
  };
}

/** BartForSequenceClassification. */
export function bartForSequenceClassificationWeights(
  config: BartConfig,
): ModelWeights<BartForSequenceClassificationParams> {
  const { d_model, num_labels, init_std: std } = config;
  const classifier = {
    dense: linearWeights('classification_head.dense', d_model, d_model, { std }),
    output: linearWeights('classification_head.out_proj', num_labels, d_model, { std }),
  };
  return { map: { ...bodyMap(config), classifier }, ignored: HEADS.slice(0, 2), basePrefix: BASE };
}

function bodyMap(config: BartConfig): WeightMap<BartParams> {
  return {
    shared: tokenTable(`${BASE}.shared.weight`, config),
    encoder: stackMap('encoder', config),
    decoder: stackMap('decoder', config),
  };
}

function tokenTable(name: string, config: BartConfig) {
  const { vocab_size, d_model, init_std: std, pad_token_id } = config;
  return tableWeights(name, vocab_size, d_model, { std, paddingId: pad_token_id ?? undefined });
}

function stackMap(side: 'encoder' | 'decoder', config: BartConfig): WeightMap<BartStackParams> {
  const { d_model, max_position_embeddings, init_std: std, tie_word_embeddings } = config;
  const prefix = `${BASE}.${side}`;
  const tokens = tokenTable(`${prefix}.embed_tokens.weight`, config);
  const layers = side === 'encoder' ? config.encoder_layers : config.decoder_layers;
  return {
    tokens: tie_word_embeddings ? { ...tokens, tiedTo: `${BASE}.shared.weight` } : tokens,
    positions: tableWeights(`${prefix}.embed_positions.weight`, max_position_embeddings + 2, d_model, {
      std,
    }),
    embeddingNorm: layerNormWeights(`${prefix}.layernorm_embedding`, d_model),
    blocks: Array.from({ length: layers }, (_, i) => blockMap(`${prefix}.layers.${i}`, side, config)),
  };
}

function blockMap(
  prefix: string,
  side: 'encoder' | 'decoder',
  config: BartConfig,
): WeightMap<BartBlockParams> {
  const { d_model, init_std: std } = config;
  const inner = side === 'encoder' ? config.encoder_ffn_dim : config.decoder_ffn_dim;
  return {
    attention: attentionMap(`${prefix}.self_attn`, config),
    attentionNorm: layerNormWeights(`${prefix}.self_attn_layer_norm`, d_model),
    ...(side === 'decoder' && {
      crossAttention: attentionMap(`${prefix}.encoder_attn`, config),
      crossNorm: layerNormWeights(`${prefix}.encoder_attn_layer_norm`, d_model),
    }),
    feedForward: {
      up: linearWeights(`${prefix}.fc1`, inner, d_model, { std }),
      down: linearWeights(`${prefix}.fc2`, d_model, inner, { std }),
    },
    feedForwardNorm: layerNormWeights(`${prefix}.final_layer_norm`, d_model),
  };
}

function attentionMap(prefix: string, { d_model, init_std: std }: BartConfig): WeightMap<AttentionParams> {
  const projection = (name: string) => linearWeights(`${prefix}.${name}`, d_model, d_model, { std });
  return {
    query: projection('q_proj'),
    key: projection('k_proj'),
    value: projection('v_proj'),
    output: projection('out_proj'),
  };
}
