/** Small models of the families with a decoder, drawn anew, for tests of their properties. */
import * as tf from '@tensorflow/tfjs-core';
import { createRng } from '../../src/core/random.ts';
import type { Model, NamedTensors } from '../../src/models/architecture.ts';
import { architectureOf } from '../../src/models/registry.ts';

const gpt = {
  vocab_size: 31,
  n_positions: 24,
  n_embd: 12,
  n_layer: 2,
  n_head: 3,
  initializer_range: 0.4,
  pad_token_id: 0,
  eos_token_id: 2,
};
const llama = {
  model_type: 'llama',
  vocab_size: 31,
  hidden_size: 12,
  intermediate_size: 20,
  num_hidden_layers: 2,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  head_dim: 4,
  max_position_embeddings: 24,
  initializer_range: 0.4,
  pad_token_id: 0,
  eos_token_id: 2,
  attention_bias: true,
  mlp_bias: true,
  rope_theta: 100,
};

const CONFIGS: Readonly<Record<string, object>> = {
  OpenAIGPT: { ...gpt, model_type: 'openai-gpt' },
  GPT2: { ...gpt, model_type: 'gpt2', n_inner: 20, scale_attn_by_inverse_layer_idx: true },
  Llama: llama,
  Bart: {
    model_type: 'bart',
    vocab_size: 31,
    d_model: 12,
    encoder_layers: 1,
    decoder_layers: 2,
    encoder_attention_heads: 2,
    decoder_attention_heads: 3,
    encoder_ffn_dim: 20,
    decoder_ffn_dim: 28,
    max_position_embeddings: 24,
    init_std: 0.4,
    scale_embedding: true,
  },
  T5: {
    model_type: 't5',
    vocab_size: 31,
    d_model: 10,
    d_kv: 4,
    d_ff: 18,
    num_layers: 3,
    num_decoder_layers: 2,
    num_heads: 3,
    relative_attention_num_buckets: 8,
    relative_attention_max_distance: 12,
    feed_forward_proj: 'gated-gelu',
    decoder_start_token_id: 0,
  },
};

/** Decoder-only language models. */
export const CAUSAL = ['OpenAIGPTLMHeadModel', 'GPT2LMHeadModel', 'LlamaForCausalLM'] as const;
/** Encoder-decoder language models. */
export const SEQ2SEQ = ['BartForConditionalGeneration', 'T5ForConditionalGeneration'] as const;
/** Every class, with a head or without. */
export const CLASSES = [
  ...CAUSAL,
  ...SEQ2SEQ,
  'OpenAIGPTModel',
  'GPT2Model',
  'GPT2ForSequenceClassification',
  'LlamaModel',
  'LlamaForSequenceClassification',
  'BartModel',
  'BartForSequenceClassification',
  'T5Model',
  'T5EncoderModel',
] as const;

/** A configuration of the class. */
export function configOf(className: string, changes: object = {}): object {
  const family = Object.keys(CONFIGS).find((name) => className.startsWith(name)) ?? '';
  return { ...CONFIGS[family], architectures: [className], num_labels: 4, ...changes };
}

/** A model of the class with new weights, wide enough that every part matters. */
export function createDecoder(className: string, changes: object = {}): Model {
  const config = configOf(className, changes);
  return architectureOf(config).create(config, createRng('decoders'));
}

export function ids(rows: number[][]): tf.Tensor2D {
  return tf.tensor2d(rows, [rows.length, rows[0]?.length ?? 0], 'int32');
}

/** Two rows of 6 and 4 tokens, padded on the right by `extra` columns more; with labels where the class has a loss. */
export function inputsOf(className: string, extra = 0): NamedTensors {
  const pad = className.startsWith('Bart') ? 1 : 0;
  const filled = (row: number[], filler: number): number[] => [
    ...row,
    ...new Array<number>(extra).fill(filler),
  ];
  const tokens = [filled([7, 4, 25, 30, 9, 2], pad), filled([5, 17, 8, 2, pad, pad], pad)];
  const mask = [filled([1, 1, 1, 1, 1, 1], 0), filled([1, 1, 1, 1, 0, 0], 0)];
  const inputs = { inputIds: ids(tokens), attentionMask: ids(mask) };
  const target = [
    [3, 19, 11, 6, 22],
    [14, 28, 6, 4, 10],
  ];
  if (className.endsWith('SequenceClassification'))
    return { ...inputs, labels: tf.tensor1d([3, 1], 'int32') };
  if (className === 'T5EncoderModel') return inputs;
  if (className === 'BartModel' || className === 'T5Model')
    return { ...inputs, decoderInputIds: ids(target) };
  if (className.endsWith('ForConditionalGeneration')) return { ...inputs, labels: ids(target) };
  if (className.endsWith('Model') && !className.endsWith('LMHeadModel')) return inputs;
  const labels = tokens.map((row, i) => row.map((id, j) => (mask[i]?.[j] === 1 ? id : -100)));
  return { ...inputs, labels: ids(labels) };
}

export async function numbers(tensor: tf.Tensor | undefined): Promise<number[]> {
  if (!tensor) throw new Error('no such output');
  return Array.from(await tensor.data());
}

/** The largest difference of two lists of equal length. */
export function furthest(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}`);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}
