/** Text from a language model: greedy, sampled or by beam search, all at once or token by token. */
import * as tf from '@tensorflow/tfjs-core';
import { hostInterrupt } from '../core/interrupt.ts';
import { createRng, type Rng } from '../core/random.ts';
import { InputError } from '../errors.ts';
import { beamSearch } from './beam-search.ts';
import { Decoding, type LanguageModel, type Prompt } from './decoding.ts';
import { type GenerationOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { createProcessors } from './processors.ts';
import { argmax, sampleToken } from './scores.ts';

/** Token ids, as a tensor int32 [B, T] or as rows of one length. */
export type TokenRows = tf.Tensor | readonly (readonly number[])[];

export interface GenerationInputs {
  /** The prompt: of the encoder where the model has one, else of the decoder, padded on the left. */
  inputIds: TokenRows;
  /**
   * 1 = token, 0 = padding. Without it everything is a token to an encoder, and a decoder-only model tells padding by its
   * id, where that does not also end sequences: so it is in transformers.
   */
  attentionMask?: TokenRows | undefined;
}

/** One step of a stream. */
export interface GeneratedTokens {
  /** The new token of each row; the padding token in rows that have ended. */
  tokens: number[];
  /** Which rows have ended, this token included. */
  finished: boolean[];
}

interface Run {
  decoding: Decoding;
  options: ResolvedOptions;
  /** What each decoder sequence begins with. */
  starts: readonly (readonly number[])[];
  /** Tokens of padding before each row's prompt. */
  padding: readonly number[];
}

/**
 * Whole sequences of token ids, all of one length. A decoder-only model's begin with the prompt, an
 * encoder-decoder's with the token that starts the decoder.
 * @throws InputError for options or a prompt that cannot be
 */
export async function generate(
  model: LanguageModel,
  inputs: GenerationInputs,
  options: GenerationOptions = {},
): Promise<number[][]> {
  const run = await startRun(model, inputs, options);
  try {
    if (run.options.numBeams > 1) {
      const process = createProcessors(run.options);
      return await beamSearch(run.decoding, run.starts, run.options, (scores, tokens, row) =>
        process(scores, tokens.slice(run.padding[row]), tokens.length),
      );
    }
    const sequences = run.starts.map((start) => [...start]);
    for await (const { tokens } of steps(run)) {
      for (const [row, token] of tokens.entries()) sequences[row]?.push(token);
    }
    return sequences;
  } finally {
    run.decoding.dispose();
  }
}

/**
 * The new tokens as they are made, one step at a time. Leaving the loop early frees what the model holds.
 * @throws InputError as `generate`, and for more than one beam: beams are chosen at the end
 */
export async function* streamTokens(
  model: LanguageModel,
  inputs: GenerationInputs,
  options: GenerationOptions = {},
): AsyncGenerator<GeneratedTokens, void, undefined> {
  const run = await startRun(model, inputs, options);
  try {
    if (run.options.numBeams > 1)
      throw new InputError('streamTokens: numBeams must be 1, beams cannot be streamed');
    yield* steps(run);
  } finally {
    run.decoding.dispose();
  }
}

/** The loop of greedy search and sampling. */
async function* steps({
  decoding,
  options,
  starts,
  padding,
}: Run): AsyncGenerator<GeneratedTokens, void, undefined> {
  const process = createProcessors(options);
  const seeded = createRng(options.seed);
  const streams = starts.map((_, row): Rng => seeded.fork(row));
  const sequences = starts.map((start) => [...start]);
  const finished = starts.map(() => false);
  for (let length = starts[0]?.length ?? 0; length < options.maxLength; length++) {
    const scores = await decoding.next(sequences);
    const tokens = sequences.map((sequence, row) => {
      if (finished[row]) return options.padTokenId ?? 0;
      const rng = streams[row];
      const changed = process(scores[row] ?? new Float32Array(), sequence.slice(padding[row]), length);
      return options.doSample && rng ? sampleToken(changed, rng) : argmax(changed);
    });
    for (const [row, token] of tokens.entries()) {
      sequences[row]?.push(token);
      finished[row] ||= options.eosTokenIds.includes(token) || length + 1 === options.maxLength;
    }
    yield { tokens, finished: [...finished] };
    if (finished.every(Boolean)) return;
  }
}

async function startRun(
  model: LanguageModel,
  inputs: GenerationInputs,
  given: GenerationOptions,
): Promise<Run> {
  const merged: GenerationOptions = { ...model.defaults, ...given };
  const ids = await rowsOf('inputIds', inputs.inputIds);
  checkIds(ids, model.vocabSize);
  const mask = inputs.attentionMask ? await rowsOf('attentionMask', inputs.attentionMask) : undefined;
  if (mask && (mask.length !== ids.length || mask[0]?.length !== ids[0]?.length)) {
    throw new InputError('generate: attentionMask must have the shape of inputIds');
  }
  const prompt = {
    ids,
    mask: mask ?? (model.encode ? ids.map((row) => row.map(() => 1)) : inferredMask(ids, merged)),
  };
  const starts = model.encode ? startTokens(prompt, merged) : prompt.ids;
  const options = resolveOptions(fitted(merged, starts, model), starts[0]?.length ?? 0);
  checkPositions(model, prompt, options, starts);
  const signal = AbortSignal.any([merged.signal, hostInterrupt()].filter((one) => one !== undefined));
  const padding = prompt.mask.map((row) => (model.encode ? 0 : Math.max(row.indexOf(1), 0)));
  return {
    decoding: Decoding.start(model, prompt, {
      useCache: options.useCache,
      maxLength: options.maxLength,
      signal,
    }),
    options,
    starts,
    padding,
  };
}

/** Without a maximum length asked for, the model's own is not exceeded. */
function fitted(
  options: GenerationOptions,
  starts: readonly (readonly number[])[],
  model: LanguageModel,
): GenerationOptions {
  if (options.maxNewTokens !== undefined || options.maxLength !== undefined) return options;
  return { ...options, maxLength: Math.min((starts[0]?.length ?? 0) + 20, model.maxPositions) };
}

function startTokens(prompt: Prompt, options: GenerationOptions): number[][] {
  const start = options.decoderStartTokenId ?? options.bosTokenId;
  if (start === undefined) {
    throw new InputError('generate: decoderStartTokenId (or bosTokenId) must be set for an encoder-decoder');
  }
  return prompt.ids.map(() => [start]);
}

/** Padding is what equals the padding token, unless that token also ends sequences. */
function inferredMask(ids: number[][], options: GenerationOptions): number[][] {
  const eos = [options.eosTokenId ?? []].flat();
  const pad = options.padTokenId ?? eos[0];
  const told = pad !== undefined && !eos.includes(pad);
  return ids.map((row) => row.map((id) => (told && id === pad ? 0 : 1)));
}

function checkIds(ids: number[][], vocabSize: number): void {
  const [first = []] = ids;
  if (first.length === 0) throw new InputError('generate: the prompt must have at least one token');
  for (const [row, tokens] of ids.entries()) {
    if (tokens.length !== first.length) {
      throw new InputError(
        `generate: rows of a prompt must have one length, got ${first.length} and ${tokens.length}`,
      );
    }
    const wrong = tokens.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
    if (wrong !== undefined) {
      throw new InputError(`generate: token ids must be below ${vocabSize}, got ${wrong} in row ${row}`);
    }
  }
}

/** The last token made is never read, so a model of n positions makes sequences of n + 1 tokens. */
function checkPositions(
  model: LanguageModel,
  prompt: Prompt,
  options: ResolvedOptions,
  starts: readonly (readonly number[])[],
): void {
  const longest = Math.max(...prompt.mask.map((row) => row.reduce((sum, one) => sum + one, 0)));
  const tokens = model.encode ? options.maxLength : options.maxLength - (starts[0]?.length ?? 0) + longest;
  if (tokens - 1 > model.maxPositions) {
    throw new InputError(
      `generate: ${tokens} tokens are more than the model's ${model.maxPositions} positions; lower maxNewTokens`,
    );
  }
}

async function rowsOf(name: string, rows: TokenRows): Promise<number[][]> {
  if (!(rows instanceof tf.Tensor)) return rows.map((row) => [...row]);
  const [count = 0, length = 0] = rows.shape;
  if (rows.rank !== 2) throw new InputError(`generate: ${name} must be [B, T], got [${rows.shape}]`);
  const values = Array.from(await rows.data());
  return Array.from({ length: count }, (_, row) => values.slice(row * length, (row + 1) * length));
}
