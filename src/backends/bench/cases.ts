/** What `lab bench` measures: the same work for every backend and for PyTorch. */

import { z } from 'zod';
import { countForwardFlops, countTokenCost, countTrainingFlops } from '../../scaling/index.ts';

/** What a peer is asked to do once, and to time. Everything is in the message, so that Python can do the same. */
export const benchCaseSchema = z.object({
  id: z.string(),
  work: z.enum(['matmul', 'forward', 'step', 'decode']),
  /** Hugging Face's class. */
  className: z.string().optional(),
  /** Its config.json. */
  config: z.record(z.string(), z.unknown()).optional(),
  /** Batch and length; for `matmul` length is the size of the matrices, for `decode` that of the prompt. */
  batch: z.int(),
  length: z.int(),
  /** Tokens to decode. */
  tokens: z.int().optional(),
});

export type BenchCase = z.infer<typeof benchCaseSchema>;

interface Sizes {
  width: number;
  layers: number;
  heads: number;
  length: number;
  vocabulary: number;
}

const MINI: Sizes = { width: 128, layers: 4, heads: 4, length: 128, vocabulary: 512 };

function encoder({ width, layers, heads, length, vocabulary }: Sizes): Record<string, unknown> {
  return {
    vocab_size: vocabulary,
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: 4 * width,
    max_position_embeddings: length + 2, // RoBERTa counts from its padding id
    type_vocab_size: 2,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  };
}

function gpt2({ width, layers, heads, length, vocabulary }: Sizes): Record<string, unknown> {
  return {
    model_type: 'gpt2',
    vocab_size: vocabulary,
    n_positions: length,
    n_embd: width,
    n_layer: layers,
    n_head: heads,
    resid_pdrop: 0,
    embd_pdrop: 0,
    attn_pdrop: 0,
    bos_token_id: 0,
    eos_token_id: 0,
  };
}

function llama({ width, layers, heads, length, vocabulary }: Sizes, hidden: number): Record<string, unknown> {
  return {
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads,
    intermediate_size: hidden,
    max_position_embeddings: length,
    tie_word_embeddings: true,
    bos_token_id: 1,
    eos_token_id: 2,
  };
}

/** One mini model a family: 4 layers (2 + 2 with a decoder), D = 128, vocabulary 512. */
const FAMILIES: Record<string, { className: string; config: Record<string, unknown> }> = {
  bert: { className: 'BertForMaskedLM', config: { model_type: 'bert', ...encoder(MINI) } },
  roberta: {
    className: 'RobertaForMaskedLM',
    config: { model_type: 'roberta', ...encoder(MINI), pad_token_id: 1 },
  },
  albert: {
    className: 'AlbertForMaskedLM',
    config: { model_type: 'albert', ...encoder(MINI), embedding_size: 64, hidden_act: 'gelu_new' },
  },
  electra: {
    className: 'ElectraForMaskedLM',
    config: { model_type: 'electra', ...encoder(MINI), embedding_size: 64 },
  },
  bart: {
    className: 'BartForConditionalGeneration',
    config: {
      model_type: 'bart',
      vocab_size: MINI.vocabulary,
      d_model: MINI.width,
      encoder_layers: 2,
      decoder_layers: 2,
      encoder_attention_heads: MINI.heads,
      decoder_attention_heads: MINI.heads,
      encoder_ffn_dim: 4 * MINI.width,
      decoder_ffn_dim: 4 * MINI.width,
      max_position_embeddings: MINI.length,
      dropout: 0,
      attention_dropout: 0,
      activation_dropout: 0,
    },
  },
  t5: {
    className: 'T5ForConditionalGeneration',
    config: {
      model_type: 't5',
      vocab_size: MINI.vocabulary,
      d_model: MINI.width,
      d_kv: MINI.width / MINI.heads,
      d_ff: 4 * MINI.width,
      num_layers: 2,
      num_decoder_layers: 2,
      num_heads: MINI.heads,
      dropout_rate: 0,
      decoder_start_token_id: 0,
    },
  },
  gpt2: { className: 'GPT2LMHeadModel', config: gpt2(MINI) },
  llama: { className: 'LlamaForCausalLM', config: llama(MINI, 344) },
};

const GPT2_SMALL = gpt2({ width: 768, layers: 12, heads: 12, length: 1024, vocabulary: 50257 });
const LLAMA_15M = llama({ width: 288, layers: 6, heads: 6, length: 256, vocabulary: 32000 }, 768);

export interface Sweep {
  name: 'length' | 'width';
  values: readonly number[];
}

/** What is made longer or wider, everything else being that of the mini GPT. */
export const SWEEPS: readonly Sweep[] = [
  { name: 'length', values: [32, 64, 128, 256, 512] },
  { name: 'width', values: [64, 128, 256, 512] },
];

/** The product that says how fast a backend can be at most. */
export const PEAK_CASE: BenchCase = { id: 'matmul/1024', work: 'matmul', batch: 1, length: 1024 };

/**
 * The cases: products, forward and step of every family, and decoding; with `sweep` also the steps of GPT over lengths
 * and widths.
 */
export function benchCases({ sweep = false } = {}): BenchCase[] {
  const cases: BenchCase[] = [256, 512].map((length) => ({
    id: `matmul/${length}`,
    work: 'matmul',
    batch: 1,
    length,
  }));
  cases.push(PEAK_CASE);
  for (const [family, model] of Object.entries(FAMILIES)) {
    for (const work of ['forward', 'step'] as const) {
      cases.push({ id: `${family}/${work}`, work, ...model, batch: 16, length: MINI.length });
    }
  }
  const decode = { work: 'decode', batch: 1, length: 8 } as const;
  cases.push({
    id: 'llama-15m/decode',
    ...decode,
    tokens: 64,
    className: 'LlamaForCausalLM',
    config: LLAMA_15M,
  });
  cases.push({
    id: 'gpt2-small/decode',
    ...decode,
    tokens: 32,
    className: 'GPT2LMHeadModel',
    config: GPT2_SMALL,
  });
  if (!sweep) return cases;
  return [...cases, ...SWEEPS.flatMap(({ name, values }) => values.map((value) => sweepCase(name, value)))];
}

function sweepCase(name: Sweep['name'], value: number): BenchCase {
  const sizes = { ...MINI, [name]: value };
  return {
    id: `${name}-${value}/step`,
    work: 'step',
    className: 'GPT2LMHeadModel',
    config: gpt2(sizes),
    batch: 16,
    length: sizes.length,
  };
}

/**
 * The cases for a graphics card, which is idle on a mini model: forward and step of GPT-2 small, and decoding.
 */
export function gpuCases(): BenchCase[] {
  const model = { className: 'GPT2LMHeadModel', config: GPT2_SMALL, batch: 8, length: 512 };
  return [
    PEAK_CASE,
    { id: 'matmul/4096', work: 'matmul', batch: 1, length: 4096 },
    { id: 'gpt2-small/forward', work: 'forward', ...model },
    { id: 'gpt2-small/step', work: 'step', ...model },
    ...benchCases().filter(({ work }) => work === 'decode'),
  ];
}

/** Floating-point operations of a case: its matrix products, as src/scaling counts them. */
export function flopsOf({ work, config, batch, length, tokens = 0 }: BenchCase): number {
  if (work === 'matmul') return 2 * length ** 3;
  if (work === 'forward') return countForwardFlops(config, { batch, length }).total;
  if (work === 'step') return countTrainingFlops(config, { batch, length }).total;
  // A prompt of n tokens costs what n tokens cost one by one; the last token made is never read.
  let flops = 0;
  for (let seen = 1; seen < length + tokens; seen++) flops += countTokenCost(config, { length: seen }).flops;
  return batch * flops;
}
