/**
 * How to generate: the options of a call, completed from `generation_config.json`, else from `config.json`, as
 * transformers does.
 */
import { z } from 'zod';
import { InputError } from '../errors.ts';

export interface GenerationOptions {
  /** Tokens to add at most; wins over `maxLength`. Without either, 20. */
  maxNewTokens?: number;
  /** Length of the whole decoder sequence, prompt included. */
  maxLength?: number;
  minNewTokens?: number;
  minLength?: number;
  /** Draw tokens instead of taking the likeliest. */
  doSample?: boolean;
  /** Seed of the draws. */
  seed?: number | string;
  temperature?: number;
  /** Keep the k likeliest tokens; 0 keeps all. */
  topK?: number;
  /** Keep the fewest likeliest tokens whose probabilities reach p (Holtzman et al., 2020). */
  topP?: number;
  /** Keep tokens at least p times as likely as the likeliest (Nguyen et al., 2024). */
  minP?: number;
  /** Scores of tokens already written are divided (positive) or multiplied (negative) by this (Keskar et al., 2019). */
  repetitionPenalty?: number;
  /** No n-gram of this size occurs twice; 0 allows all. */
  noRepeatNgramSize?: number;
  /** Beams kept; 1 searches greedily. */
  numBeams?: number;
  /** A finished beam's score is its log-probability divided by generated length to this power. */
  lengthPenalty?: number;
  /** `true`: stop at `numBeams` finished beams; `false`: when none is likely to improve; `'never'`: when none can. */
  earlyStopping?: boolean | 'never';
  /** Sequences returned for each input, at most `numBeams`. */
  numReturnSequences?: number;
  eosTokenId?: number | readonly number[];
  padTokenId?: number;
  bosTokenId?: number;
  decoderStartTokenId?: number;
  /** Token forced as the first generated one. */
  forcedBosTokenId?: number;
  /** Token forced as the last when the maximum length is reached. */
  forcedEosTokenId?: number | readonly number[];
  /** Keep keys and values between steps. False recomputes everything, for comparison. */
  useCache?: boolean;
  /** Stops generation, which then rejects with the signal's reason. The interrupt of a notebook is heard without it. */
  signal?: AbortSignal;
}

const tokenIds = z.union([z.int(), z.array(z.int())]);

const schema = z.object({
  max_new_tokens: z.int().positive().nullish(),
  max_length: z.int().positive().nullish(),
  min_new_tokens: z.int().nonnegative().nullish(),
  min_length: z.int().nonnegative().nullish(),
  do_sample: z.boolean().nullish(),
  temperature: z.number().positive().nullish(),
  top_k: z.int().nonnegative().nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().positive().nullish(),
  no_repeat_ngram_size: z.int().nonnegative().nullish(),
  num_beams: z.int().positive().nullish(),
  length_penalty: z.number().nullish(),
  early_stopping: z.union([z.boolean(), z.literal('never')]).nullish(),
  num_return_sequences: z.int().positive().nullish(),
  eos_token_id: tokenIds.nullish(),
  pad_token_id: z.int().nullish(),
  bos_token_id: z.int().nullish(),
  decoder_start_token_id: z.int().nullish(),
  forced_bos_token_id: z.int().nullish(),
  forced_eos_token_id: tokenIds.nullish(),
});

/** Reads options in their Hugging Face names. Fields that are null or absent stay unset; others are ignored. */
export function parseGenerationOptions(json: unknown, source = 'generation config'): GenerationOptions {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new InputError(`${source}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not an object'}`);
  }
  const fields = parsed.data;
  return withoutUnset({
    maxNewTokens: fields.max_new_tokens,
    maxLength: fields.max_length,
    minNewTokens: fields.min_new_tokens,
    minLength: fields.min_length,
    doSample: fields.do_sample,
    temperature: fields.temperature,
    topK: fields.top_k,
    topP: fields.top_p,
    minP: fields.min_p,
    repetitionPenalty: fields.repetition_penalty,
    noRepeatNgramSize: fields.no_repeat_ngram_size,
    numBeams: fields.num_beams,
    lengthPenalty: fields.length_penalty,
    earlyStopping: fields.early_stopping,
    numReturnSequences: fields.num_return_sequences,
    eosTokenId: fields.eos_token_id,
    padTokenId: fields.pad_token_id,
    bosTokenId: fields.bos_token_id,
    decoderStartTokenId: fields.decoder_start_token_id,
    forcedBosTokenId: fields.forced_bos_token_id,
    forcedEosTokenId: fields.forced_eos_token_id,
  });
}

type Unset<T> = { [K in keyof T]?: T[K] | null | undefined };
type Present<T> = { [K in keyof T]?: Exclude<T[K], null | undefined> };

function withoutUnset<T extends object>(options: Unset<T>): Present<T> {
  const present: Present<T> = {};
  for (const key in options) {
    const value = options[key];
    if (value !== null && value !== undefined) Object.assign(present, { [key]: value });
  }
  return present;
}

/** Options with every decision made, for sequences that begin with `promptLength` decoder tokens. */
export interface ResolvedOptions {
  maxLength: number;
  minLength: number;
  doSample: boolean;
  seed: number | string;
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  repetitionPenalty: number;
  noRepeatNgramSize: number;
  numBeams: number;
  lengthPenalty: number;
  earlyStopping: boolean | 'never';
  numReturnSequences: number;
  eosTokenIds: readonly number[];
  padTokenId: number | undefined;
  forcedBosTokenId: number | undefined;
  forcedEosTokenIds: readonly number[];
  useCache: boolean;
}

/**
 * Fills in the defaults and checks the values against one another.
 * @throws InputError naming the option that cannot be
 */
export function resolveOptions(options: GenerationOptions, promptLength: number): ResolvedOptions {
  const eosTokenIds = asList(options.eosTokenId);
  const { maxNewTokens, minNewTokens, numBeams = 1, numReturnSequences = 1 } = options;
  const maxLength =
    maxNewTokens !== undefined ? promptLength + maxNewTokens : (options.maxLength ?? promptLength + 20);
  const resolved: ResolvedOptions = {
    maxLength,
    minLength: minNewTokens !== undefined ? promptLength + minNewTokens : (options.minLength ?? 0),
    doSample: options.doSample ?? false,
    seed: options.seed ?? 0,
    temperature: options.temperature ?? 1,
    topK: options.topK ?? 0,
    topP: options.topP ?? 1,
    minP: options.minP ?? 0,
    repetitionPenalty: options.repetitionPenalty ?? 1,
    noRepeatNgramSize: options.noRepeatNgramSize ?? 0,
    numBeams,
    lengthPenalty: options.lengthPenalty ?? 1,
    earlyStopping: options.earlyStopping ?? false,
    numReturnSequences,
    eosTokenIds,
    padTokenId: options.padTokenId ?? eosTokenIds[0],
    forcedBosTokenId: options.forcedBosTokenId,
    forcedEosTokenIds: asList(options.forcedEosTokenId),
    useCache: options.useCache ?? true,
  };
  check(resolved, promptLength);
  return resolved;
}

function check(options: ResolvedOptions, promptLength: number): void {
  const refuse = (name: string, expected: string, value: unknown): never => {
    throw new InputError(`generate: ${name} must be ${expected}, got ${String(value)}`);
  };
  const { maxLength, temperature, topK, topP, minP, repetitionPenalty, numBeams, numReturnSequences } =
    options;
  if (!(Number.isInteger(maxLength) && maxLength > promptLength)) {
    refuse('maxLength', `a whole number above the prompt's ${promptLength} tokens`, maxLength);
  }
  if (!(temperature > 0)) refuse('temperature', 'above 0', temperature);
  if (!(Number.isInteger(topK) && topK >= 0)) refuse('topK', 'a whole number, 0 for all', topK);
  if (!(topP >= 0 && topP <= 1)) refuse('topP', 'between 0 and 1', topP);
  if (!(minP >= 0 && minP <= 1)) refuse('minP', 'between 0 and 1', minP);
  if (!(repetitionPenalty > 0)) refuse('repetitionPenalty', 'above 0', repetitionPenalty);
  if (!(Number.isInteger(numBeams) && numBeams > 0)) refuse('numBeams', 'a whole number from 1', numBeams);
  if (!(Number.isInteger(numReturnSequences) && numReturnSequences > 0 && numReturnSequences <= numBeams)) {
    refuse('numReturnSequences', `between 1 and numBeams (${numBeams})`, numReturnSequences);
  }
  if (numBeams > 1 && options.doSample) refuse('doSample', 'false with more than one beam', true);
}

function asList(ids: number | readonly number[] | undefined): readonly number[] {
  if (ids === undefined) return [];
  return typeof ids === 'number' ? [ids] : ids;
}
