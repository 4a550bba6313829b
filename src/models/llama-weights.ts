/** Where LLaMA's parameters are in a Hugging Face checkpoint, and how they are drawn at first. */
import {
  linearWeights,
  type ModelWeights,
  rmsNormWeights,
  tableWeights,
  type WeightMap,
} from '../checkpoints/weight-map.ts';
import type {
  LlamaBlockParams,
  LlamaForCausalLMParams,
  LlamaForSequenceClassificationParams,
  LlamaParams,
} from './llama.ts';
import type { LlamaConfig } from './llama-config.ts';

/** Frequencies that older files stored. */
const IGNORED = [/\.rotary_emb\.inv_freq$/];
const BASE = 'model';

/** The bare model: LlamaModel. */
export function llamaWeights(config: LlamaConfig): ModelWeights<LlamaParams> {
  return { map: bodyMap(config), ignored: [...IGNORED, /^(lm_head|score)\./], basePrefix: BASE };
}

/** LlamaForCausalLM. */
export function llamaForCausalLMWeights(config: LlamaConfig): ModelWeights<LlamaForCausalLMParams> {
  const { vocab_size, hidden_size, initializer_range: std, tie_word_embeddings } = config;
  const body = bodyMap(config);
  const head = tableWeights('lm_head.weight', vocab_size, hidden_size, { std });
  const tied = { ...head, tiedTo: body.tokens.name };
  return { map: { ...body, head: tie_word_embeddings ? tied : head }, ignored: IGNORED, basePrefix: BASE };
}

/** LlamaForSequenceClassification. */
export function llamaForSequenceClassificationWeights(
  config: LlamaConfig,
): ModelWeights<LlamaForSequenceClassificationParams> {
  const { num_labels, hidden_size, initializer_range: std } = config;
  const score = linearWeights('score', num_labels, hidden_size, { bias: false, std });
  return { map: { ...bodyMap(config), score }, ignored: [...IGNORED, /^lm_head\./], basePrefix: BASE };
}

function bodyMap(config: LlamaConfig): WeightMap<LlamaParams> {
  const { vocab_size, hidden_size, num_hidden_layers, initializer_range: std } = config;
  const paddingId = config.pad_token_id ?? undefined;
  return {
    tokens: tableWeights(`${BASE}.embed_tokens.weight`, vocab_size, hidden_size, { std, paddingId }),
    blocks: Array.from({ length: num_hidden_layers }, (_, i) => blockMap(`${BASE}.layers.${i}`, config)),
    finalNorm: rmsNormWeights(`${BASE}.norm`, hidden_size),
  };
}

function blockMap(prefix: string, config: LlamaConfig): WeightMap<LlamaBlockParams> {
  const { hidden_size, intermediate_size, head_dim, initializer_range: std } = config;
  const queries = config.num_attention_heads * head_dim;
  const keys = config.num_key_value_heads * head_dim;
  const attention = { bias: config.attention_bias, std };
  const feedForward = { bias: config.mlp_bias, std };
  return {
    attentionNorm: rmsNormWeights(`${prefix}.input_layernorm`, hidden_size),
    attention: {
      query: linearWeights(`${prefix}.self_attn.q_proj`, queries, hidden_size, attention),
      key: linearWeights(`${prefix}.self_attn.k_proj`, keys, hidden_size, attention),
      value: linearWeights(`${prefix}.self_attn.v_proj`, keys, hidden_size, attention),
      output: linearWeights(`${prefix}.self_attn.o_proj`, hidden_size, queries, attention),
    },
    feedForwardNorm: rmsNormWeights(`${prefix}.post_attention_layernorm`, hidden_size),
    feedForward: {
      gate: linearWeights(`${prefix}.mlp.gate_proj`, intermediate_size, hidden_size, feedForward),
      up: linearWeights(`${prefix}.mlp.up_proj`, intermediate_size, hidden_size, feedForward),
      down: linearWeights(`${prefix}.mlp.down_proj`, hidden_size, intermediate_size, feedForward),
    },
  };
}
