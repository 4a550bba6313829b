/**
 * One run of a language model, token by token: it holds the cache, the masks and the encoder's states, and gives the scores
 * of the next token of every row.
 */
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { KeyValueCache } from '../core/cache.ts';
import type { GenerationOptions } from './options.ts';

/** What a model computes in one step. */
export interface DecodingStep {
  /** int32 [B, T]: the new tokens, or the whole sequences where nothing is cached. */
  ids: tf.Tensor2D;
  /** [B, S] over all tokens so far; absent where there is no padding. Decoder-only models. */
  attentionMask?: tf.Tensor2D | undefined;
  /** int32 [B, T]; absent where there is no padding. Decoder-only models. */
  positionIds?: tf.Tensor2D | undefined;
  /** The encoder's states [B, S, D] and the mask of its tokens [B, S]. Encoder-decoder models. */
  encoder?: { states: tf.Tensor; attentionMask: tf.Tensor2D } | undefined;
  cache?: KeyValueCache | undefined;
}

/** A model as generation sees it. */
export interface LanguageModel {
  /** What the model's configuration says of generation. */
  defaults: GenerationOptions;
  vocabSize: number;
  /** Positions the model has vectors for; infinite where positions are relative or rotary. */
  maxPositions: number;
  /** The encoder's states [B, S, D] of encoder-decoder models; others have none. */
  encode?: (inputIds: tf.Tensor2D, attentionMask: tf.Tensor2D) => tf.Tensor;
  /** Logits [B, 1, V] after the last token. */
  lastLogits: (step: DecodingStep) => tf.Tensor;
}

/** Token ids of equal length, and 1 for each token, 0 for padding (on the left, where the model has only a decoder). */
export interface Prompt {
  ids: readonly (readonly number[])[];
  mask: readonly (readonly number[])[];
}

/** Whether a row has padding anywhere. */
function hasPadding(mask: Prompt['mask']): boolean {
  return mask.some((row) => row.includes(0));
}

/** Positions count tokens only: padding stands at 0 and moves nothing. */
export function positionsOf(mask: readonly number[]): number[] {
  let tokens = 0;
  return mask.map((isToken) => {
    if (isToken === 0) return 0;
    tokens += 1;
    return tokens - 1;
  });
}

export interface DecodingSettings {
  /** Keep keys and values between steps. */
  useCache: boolean;
  /** The decoder tokens that the run may come to, for which the cache makes room. */
  maxLength?: number | undefined;
  /** Ends the run: the next step rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export class Decoding {
  readonly #model: LanguageModel;
  readonly #cache: KeyValueCache | undefined;
  /** Masks of the prompt's rows; generated tokens add ones. Empty where the prompt has no padding. */
  #promptMask: Prompt['mask'];
  #encoder: DecodingStep['encoder'];

  readonly #signal: AbortSignal | undefined;

  private constructor(model: LanguageModel, promptMask: Prompt['mask'], settings: DecodingSettings) {
    this.#model = model;
    this.#promptMask = promptMask;
    this.#cache = settings.useCache ? new KeyValueCache({ expectedLength: settings.maxLength }) : undefined;
    this.#signal = settings.signal;
  }

  /** Starts on a prompt: of the encoder where the model has one, else of the decoder. */
  static start(model: LanguageModel, prompt: Prompt, settings: DecodingSettings): Decoding {
    const { encode } = model;
    if (!encode) return new Decoding(model, hasPadding(prompt.mask) ? prompt.mask : [], settings);
    const decoding = new Decoding(model, [], settings);
    const attentionMask = matrix(prompt.mask);
    const states = tf.tidy(() => encode(matrix(prompt.ids), attentionMask));
    decoding.#encoder = { states, attentionMask };
    return decoding;
  }

  /**
   * Scores [V] of the token that follows each sequence. With a cache, the sequences must be those of the last call (in the
   * order of `reorder`) and one token more.
   * @throws the signal's reason once it is aborted
   */
  async next(sequences: readonly (readonly number[])[]): Promise<Float32Array[]> {
    // A turn of the event loop: some backends answer at once, and nothing else would be heard or shown meanwhile.
    await setImmediate();
    this.#signal?.throwIfAborted();
    const logits = tf.tidy(() => this.#model.lastLogits(this.#stepOf(sequences)));
    try {
      const values = await logits.data();
      const size = values.length / sequences.length;
      return sequences.map((_, row) => new Float32Array(values.subarray(row * size, (row + 1) * size)));
    } finally {
      logits.dispose();
    }
  }

  #stepOf(sequences: readonly (readonly number[])[]): DecodingStep {
    const cached = this.#cache?.length ?? 0;
    const ids = matrix(sequences.map((tokens) => tokens.slice(cached)));
    const shared = { ids, encoder: this.#encoder, cache: this.#cache };
    if (this.#promptMask.length === 0) return shared;
    const mask = sequences.map((tokens, row) => {
      const prompt = this.#promptMask[row] ?? [];
      return [...prompt, ...new Array<number>(tokens.length - prompt.length).fill(1)];
    });
    const positions = mask.map((row) => positionsOf(row).slice(cached));
    return { ...shared, attentionMask: matrix(mask), positionIds: matrix(positions) };
  }

  /** Goes on with the given rows, in this order and as often as named. */
  reorder(rows: readonly number[]): void {
    this.#cache?.reorder(rows);
    if (this.#promptMask.length > 0) this.#promptMask = rows.map((row) => this.#promptMask[row] ?? []);
    const encoder = this.#encoder;
    if (!encoder) return;
    this.#encoder = tf.tidy(() => {
      const indices = tf.tensor1d([...rows], 'int32');
      return {
        states: tf.gather(encoder.states, indices),
        attentionMask: tf.gather(encoder.attentionMask, indices),
      };
    });
    tf.dispose([encoder.states, encoder.attentionMask]);
  }

  /** Frees everything held. */
  dispose(): void {
    this.#cache?.dispose();
    if (this.#encoder) tf.dispose([this.#encoder.states, this.#encoder.attentionMask]);
    this.#encoder = undefined;
  }
}

function matrix(rows: readonly (readonly number[])[]): tf.Tensor2D {
  const [first = []] = rows;
  return tf.tensor2d(Int32Array.from(rows.flat()), [rows.length, first.length], 'int32');
}
