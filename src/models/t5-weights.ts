/** Where T5's parameters are in a Hugging Face checkpoint, and how they are drawn at first. */
import {
  linearWeights,
  type ModelWeights,
  rmsNormWeights,
  tableWeights,
  type WeightMap,
} from '../checkpoints/weight-map.ts';
import type { AttentionParams } from '../core/attention.ts';
import type {
  T5BlockParams,
  T5EncoderParams,
  T5FeedForwardParams,
  T5ForConditionalGenerationParams,
  T5Params,
  T5StackParams,
} from './t5.ts';
import type { T5Config } from './t5-config.ts';

/** Of the first files: a bias of the cross-attention, which was never used. */
const IGNORED = [/EncDecAttention\.relative_attention_bias\.weight$/];

/** T5EncoderModel. */
export function t5EncoderWeights(config: T5Config): ModelWeights<T5EncoderParams> {
  return {
    map: { shared: sharedTable(config), encoder: stackMap('encoder', config) },
    ignored: [/^decoder\./, /^lm_head\./],
  };
}

/** T5Model. */
export function t5Weights(config: T5Config): ModelWeights<T5Params> {
  return { map: bodyMap(config), ignored: [...IGNORED, /^lm_head\./] };
}

/** T5ForConditionalGeneration. */
export function t5ForConditionalGenerationWeights(
  config: T5Config,
): ModelWeights<T5ForConditionalGenerationParams> {
  const { vocab_size, d_model, initializer_factor: std } = config;
  // Tied unless the checkpoint holds another head, whatever the configuration says: so transformers loads T5.
  const head = { ...tableWeights('lm_head.weight', vocab_size, d_model, { std }), tiedTo: 'shared.weight' };
  return { map: { ...bodyMap(config), head }, ignored: IGNORED };
}

function bodyMap(config: T5Config): WeightMap<T5Params> {
  return {
    shared: sharedTable(config),
    encoder: stackMap('encoder', config),
    decoder: stackMap('decoder', config),
  };
}

function sharedTable({ vocab_size, d_model, initializer_factor: std }: T5Config) {
  return tableWeights('shared.weight', vocab_size, d_model, { std });
}

function stackMap(side: 'encoder' | 'decoder', config: T5Config): WeightMap<T5StackParams> {
  const { vocab_size, d_model, num_heads, initializer_factor: factor } = config;
  const layers = side === 'encoder' ? config.num_layers : config.num_decoder_layers;
  const bias = `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
  return {
    tokens: {
      ...tableWeights(`${side}.embed_tokens.weight`, vocab_size, d_model, { std: factor }),
      tiedTo: 'shared.weight',
    },
    relativeBias: tableWeights(bias, config.relative_attention_num_buckets, num_heads, {
      std: factor * d_model ** -0.5,
    }),
    blocks: Array.from({ length: layers }, (_, i) => blockMap(`${side}.block.${i}.layer`, side, config)),
    finalNorm: rmsNormWeights(`${side}.final_layer_norm`, d_model),
  };
}

function blockMap(prefix: string, side: 'encoder' | 'decoder', config: T5Config): WeightMap<T5BlockParams> {
  const { d_model } = config;
  const feedForward = side === 'encoder' ? 1 : 2;
  return {
    attentionNorm: rmsNormWeights(`${prefix}.0.layer_norm`, d_model),
    attention: attentionMap(`${prefix}.0.SelfAttention`, config),
    ...(side === 'decoder' && {
      crossNorm: rmsNormWeights(`${prefix}.1.layer_norm`, d_model),
      crossAttention: attentionMap(`${prefix}.1.EncDecAttention`, config),
    }),
    feedForwardNorm: rmsNormWeights(`${prefix}.${feedForward}.layer_norm`, d_model),
    feedForward: feedForwardMap(`${prefix}.${feedForward}.DenseReluDense`, config),
  };
}

/** The queries start small by 1/√(D·d): that is the factor which attention leaves out. */
function attentionMap(prefix: string, config: T5Config): WeightMap<AttentionParams> {
  const { d_model, d_kv, num_heads, initializer_factor: factor } = config;
  const inner = num_heads * d_kv;
  const into = (name: string, std: number) =>
    linearWeights(`${prefix}.${name}`, inner, d_model, { bias: false, std: factor * std });
  return {
    query: into('q', (d_model * d_kv) ** -0.5),
    key: into('k', d_model ** -0.5),
    value: into('v', d_model ** -0.5),
    output: linearWeights(`${prefix}.o`, d_model, inner, { bias: false, std: factor * inner ** -0.5 }),
  };
}

function feedForwardMap(prefix: string, config: T5Config): WeightMap<T5FeedForwardParams> {
  const { d_model, d_ff, gated, initializer_factor: factor } = config;
  const into = (name: string) =>
    linearWeights(`${prefix}.${name}`, d_ff, d_model, { bias: false, std: factor * d_model ** -0.5 });
  return {
    inner: into(gated ? 'wi_0' : 'wi'),
    ...(gated && { gate: into('wi_1') }),
    output: linearWeights(`${prefix}.wo`, d_model, d_ff, { bias: false, std: factor * d_ff ** -0.5 }),
  };
}
