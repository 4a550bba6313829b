/** Where GPT's and GPT-2's parameters are in a Hugging Face checkpoint, and how they are drawn at first. */
import {
  layerNormWeights,
  linearWeights,
  type ModelWeights,
  tableWeights,
  type WeightMap,
} from '../checkpoints/weight-map.ts';
import type {
  GptBlockParams,
  GptForSequenceClassificationParams,
  GptLMHeadParams,
  GptParams,
} from './gpt.ts';
import type { GptConfig } from './gpt-config.ts';

/** Buffers of older files: the causal mask and the number it masks with. */
const IGNORED = [/(^|\.)h\.\d+\.attn\.(bias|masked_bias)$/, /(^|\.)position_ids$/];
const BASE = 'transformer';

/** The bare model: GPT2Model, OpenAIGPTModel. */
export function gptWeights(config: GptConfig): ModelWeights<GptParams> {
  return { map: bodyMap(config), ignored: [...IGNORED, /^(lm_head|score)\./], basePrefix: BASE };
}

/** GPT2LMHeadModel, OpenAIGPTLMHeadModel. */
export function gptLMHeadWeights(config: GptConfig): ModelWeights<GptLMHeadParams> {
  const { vocab_size, n_embd, initializer_range: std, tie_word_embeddings } = config;
  const body = bodyMap(config);
  const head = tableWeights('lm_head.weight', vocab_size, n_embd, { std });
  const tied = { ...head, tiedTo: body.tokens.name };
  return { map: { ...body, head: tie_word_embeddings ? tied : head }, ignored: IGNORED, basePrefix: BASE };
}

/** GPT2ForSequenceClassification. */
export function gptForSequenceClassificationWeights(
  config: GptConfig,
): ModelWeights<GptForSequenceClassificationParams> {
  const { num_labels, n_embd, initializer_range: std } = config;
  const score = linearWeights('score', num_labels, n_embd, { bias: false, std });
  return { map: { ...bodyMap(config), score }, ignored: [...IGNORED, /^lm_head\./], basePrefix: BASE };
}

function bodyMap(config: GptConfig): WeightMap<GptParams> {
  const { vocab_size, n_positions, n_embd, n_layer, norm_first, initializer_range: std } = config;
  const [tokens, positions] = norm_first ? ['wte', 'wpe'] : ['tokens_embed', 'positions_embed'];
  return {
    tokens: tableWeights(`${BASE}.${tokens}.weight`, vocab_size, n_embd, { std }),
    positions: tableWeights(`${BASE}.${positions}.weight`, n_positions, n_embd, { std }),
    blocks: Array.from({ length: n_layer }, (_, i) => blockMap(`${BASE}.h.${i}`, config)),
    ...(norm_first && { finalNorm: layerNormWeights(`${BASE}.ln_f`, n_embd) }),
  };
}

/** The linear layers are transposed in the file: GPT wrote them as convolutions of width 1. */
function blockMap(prefix: string, config: GptConfig): WeightMap<GptBlockParams> {
  const { n_embd, n_inner, n_layer, initializer_range: std } = config;
  const joint = (index: number) =>
    linearWeights(`${prefix}.attn.c_attn`, n_embd, n_embd, { transposed: true, part: { index, of: 3 }, std });
  // What is added to the residual stream starts smaller the more is added (GPT-2, section 2.3).
  const residual = { transposed: true, std: std / Math.sqrt(2 * n_layer) };
  return {
    attentionNorm: layerNormWeights(`${prefix}.ln_1`, n_embd),
    attention: {
      query: joint(0),
      key: joint(1),
      value: joint(2),
      output: linearWeights(`${prefix}.attn.c_proj`, n_embd, n_embd, residual),
    },
    feedForwardNorm: layerNormWeights(`${prefix}.ln_2`, n_embd),
    feedForward: {
      up: linearWeights(`${prefix}.mlp.c_fc`, n_inner, n_embd, { transposed: true, std }),
      down: linearWeights(`${prefix}.mlp.c_proj`, n_embd, n_inner, residual),
    },
  };
}
