/** Counting what a model has and what it computes: parameters, floating-point operations, bytes of cache. */
import { leavesOf } from '../checkpoints/weight-map.ts';
import { architectureOf } from '../models/registry.ts';
import { describeArchitecture, type Stack } from './architecture.ts';

export interface ParameterCount {
  /** Numbers in the model, tied ones once. */
  total: number;
  /** Without the tables that are looked up (tokens, positions, segments): the N of Kaplan et al. (2020, section 1.3). */
  nonEmbedding: number;
}

/**
 * The exact number of parameters of a configuration, for any class of the library.
 * @param config a `config.json` object with `architectures` or `model_type`
 * @param className a class other than the one the configuration names
 * @throws InputError if the class is unknown or the configuration wrong
 */
export function countModelParameters(config: unknown, className?: string): ParameterCount {
  const architecture = architectureOf(config, className);
  const leaves = leavesOf(architecture.weights(architecture.parseConfig(config)).map);
  let total = 0;
  let tables = 0;
  const seen = new Set<string>();
  for (const { name, shape, tiedTo, part, optional } of leaves) {
    const key = `${name}#${part?.index ?? 0}`;
    if (tiedTo !== undefined || optional || seen.has(key)) continue; // Optional: buffers, which nothing learns.
    seen.add(key);
    const size = shape.reduce((product, side) => product * side, 1);
    total += size;
    if (/(embed|wte|wpe|shared)[^.]*\.weight$/.test(name) && !/norm|map/i.test(name)) tables += size;
  }
  return { total, nonEmbedding: total - tables };
}

export interface Lengths {
  /** Sequences, 1 unless given. */
  batch?: number;
  /** Tokens of each sequence that the decoder reads; of the encoder, where there is no decoder. */
  length: number;
  /** Tokens that the encoder reads beside a decoder, `length` unless given. */
  sourceLength?: number;
}

/** Floating-point operations, by what they are spent on. A multiplication and an addition count as two. */
export interface FlopCount {
  /** The projections to queries, keys, values and back. */
  attentionProjections: number;
  /** Scores and weighted sums, every key counted for every query (the mask saves no work in a matrix product). */
  attentionScores: number;
  feedForward: number;
  /** From the last states to the vocabulary, and factorised embeddings. */
  vocabulary: number;
  total: number;
}

/**
 * Operations of one forward pass of a language model, head included: all matrix products, exactly. Norms, activations, softmax and sums are left out, as
 * everywhere in the literature; they are a few per cent at most.
 * @param config a `config.json` object with `model_type`
 */
export function countForwardFlops(
  config: unknown,
  { batch = 1, length, sourceLength = length }: Lengths,
): FlopCount {
  const sizes = describeArchitecture(config);
  const { width, vocabulary, encoder, decoder } = sizes;
  const encoded = encoder && stackFlops(encoder, width, decoder ? sourceLength : length);
  const decoded = decoder && stackFlops(decoder, width, length, encoder && sourceLength);
  const parts = {
    attentionProjections: (encoded?.attentionProjections ?? 0) + (decoded?.attentionProjections ?? 0),
    attentionScores: (encoded?.attentionScores ?? 0) + (decoded?.attentionScores ?? 0),
    feedForward: (encoded?.feedForward ?? 0) + (decoded?.feedForward ?? 0),
    vocabulary:
      2 * length * (vocabulary * sizes.embeddingWidth + sizes.embeddingProjection + sizes.headProjection),
  };
  const { attentionProjections, attentionScores, feedForward, vocabulary: head } = parts;
  return {
    attentionProjections: batch * attentionProjections,
    attentionScores: batch * attentionScores,
    feedForward: batch * feedForward,
    vocabulary: batch * head,
    total: batch * (attentionProjections + attentionScores + feedForward + head),
  };
}

/** Operations of a stack over T tokens, with cross-attention to S of an encoder where given. */
function stackFlops(stack: Stack, width: number, length: number, source?: number) {
  const queries = stack.heads * stack.headWidth;
  const keys = stack.keyValueHeads * stack.headWidth;
  let projections = 2 * length * width * (2 * queries + 2 * keys);
  let scores = 4 * length * length * queries; // q·kᵀ, and the weighted sum of v
  if (source !== undefined) {
    projections += 2 * width * (2 * length * queries + 2 * source * keys);
    scores += 4 * length * source * queries;
  }
  const feedForward = 2 * length * width * stack.feedForward * stack.feedForwardMatrices;
  return {
    attentionProjections: stack.layers * projections,
    attentionScores: stack.layers * scores,
    feedForward: stack.layers * feedForward,
  };
}

/** Operations of a training step: the backward pass makes two products for each of the forward pass. */
export function countTrainingFlops(config: unknown, lengths: Lengths): FlopCount {
  const forward = countForwardFlops(config, lengths);
  return {
    attentionProjections: 3 * forward.attentionProjections,
    attentionScores: 3 * forward.attentionScores,
    feedForward: 3 * forward.feedForward,
    vocabulary: 3 * forward.vocabulary,
    total: 3 * forward.total,
  };
}

/** C ≈ 6·N·D: training operations of N parameters over D tokens, attention left out (Kaplan et al., 2020, section 2.1). */
export function approximateTrainingFlops(parameters: number, tokens: number): number {
  return 6 * parameters * tokens;
}

/**
 * Operations for one more token, with a cache that holds those before, and the bytes that the cache then takes.
 * @param bytesPerNumber 4 for float32, 2 for float16
 */
export function countTokenCost(
  config: unknown,
  { length, sourceLength = length }: Omit<Lengths, 'batch'>,
  bytesPerNumber = 4,
): { flops: number; cacheBytes: number } {
  const { width, vocabulary, decoder, encoder, embeddingWidth } = describeArchitecture(config);
  if (!decoder) {
    // An encoder has no cache to go on from: every new token changes the states of all.
    return { flops: countForwardFlops(config, { length }).total, cacheBytes: 0 };
  }
  const queries = decoder.heads * decoder.headWidth;
  const keys = decoder.keyValueHeads * decoder.headWidth;
  const seen = length + (encoder ? sourceLength : 0);
  const attention = 2 * width * (2 * queries + 2 * keys) + 4 * seen * queries;
  const cross = encoder ? 4 * width * queries : 0; // The encoder's keys and values are there already.
  const feedForward = 2 * width * decoder.feedForward * decoder.feedForwardMatrices;
  return {
    flops: decoder.layers * (attention + cross + feedForward) + 2 * vocabulary * embeddingWidth,
    cacheBytes: 2 * decoder.layers * seen * keys * bytesPerNumber,
  };
}
