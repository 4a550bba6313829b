/**
 * Rotary position embedding (Su et al., 2021, "RoFormer", section 3.2.2): the pair i of a head's features is turned by
 * the angle position · θ^(−2i/d), so that the product of a query and a key depends on their distance alone.
 *
 * Two layouts of the pairs are in use. LLaMA's own code pairs neighbours (2i, 2i+1); Hugging Face pairs the halves
 * (i, i + d/2) and reorders the rows of the query and key weights to match.
 */
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { fusedRotary } from './fused.ts';

/** How the frequencies are changed to read beyond the length of pre-training. */
export type RotaryScaling =
  | { type: 'default' }
  /** Every position divided by `factor` (Chen et al., 2023, "Position interpolation"). */
  | { type: 'linear'; factor: number }
  /** The base grows with the length once it passes the trained one ("NTK-aware" scaling). */
  | { type: 'dynamic'; factor: number }
  /** Long wavelengths divided by `factor`, short ones kept, a ramp between (LLaMA 3.1). */
  | {
      type: 'llama3';
      factor: number;
      lowFrequencyFactor: number;
      highFrequencyFactor: number;
      originalMaxPositions: number;
    };

export interface RotaryConfig {
  /** Base of the frequencies, θ. */
  theta: number;
  /** Head width d, even. */
  headWidth: number;
  /** Length the model was trained for. */
  maxPositions: number;
  scaling: RotaryScaling;
}

/** Cosines and sines of the angles, [1 or B, 1, T, d/2]. */
export interface RotaryTables {
  cos: tf.Tensor;
  sin: tf.Tensor;
}

const parametersSchema = z.object({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: z.number().positive().optional(),
});

/** The fields of a `config.json` that describe rotary positions: `rope_parameters` is new, the other two are old. */
export const rotaryFieldsSchema = z.object({
  rope_parameters: parametersSchema.nullish(),
  rope_scaling: parametersSchema.nullish(),
  rope_theta: z.number().positive().nullish(),
  original_max_position_embeddings: z.number().positive().nullish(),
});

export type RotaryFields = z.infer<typeof rotaryFieldsSchema>;

/** The rotary settings of a configuration, in the old spelling or the new. @throws InputError on an unknown type. */
export function parseRotary(
  fields: RotaryFields,
  sizes: { headWidth: number; maxPositions: number },
): RotaryConfig {
  if (sizes.headWidth % 2 !== 0) {
    throw new InputError(`config: rotary positions need an even head_dim, got ${sizes.headWidth}`);
  }
  const parameters = fields.rope_scaling ?? fields.rope_parameters ?? {};
  const theta = parameters.rope_theta ?? fields.rope_theta ?? 10_000;
  const type = parameters.rope_type ?? parameters.type ?? 'default';
  const required = (name: 'factor' | 'low_freq_factor' | 'high_freq_factor'): number => {
    const value = parameters[name];
    if (value === undefined) throw new InputError(`config: rotary type "${type}" needs the number ${name}`);
    return value;
  };
  const scaling = (): RotaryScaling => {
    if (type === 'default') return { type };
    if (type === 'linear' || type === 'dynamic') return { type, factor: required('factor') };
    if (type === 'llama3') {
      return {
        type,
        factor: required('factor'),
        lowFrequencyFactor: required('low_freq_factor'),
        highFrequencyFactor: required('high_freq_factor'),
        originalMaxPositions:
          fields.original_max_position_embeddings ??
          parameters.original_max_position_embeddings ??
          sizes.maxPositions,
      };
    }
    throw new InputError(
      `config: rotary type must be one of default, linear, dynamic, llama3, got ${JSON.stringify(type)}`,
    );
  };
  return { theta, ...sizes, scaling: scaling() };
}

/**
 * The angle per position of every pair, d/2 numbers, for a sequence of `length` positions (which only the dynamic
 * type looks at).
 */
export function rotaryFrequencies(config: RotaryConfig, length: number): Float32Array {
  const { headWidth, scaling } = config;
  const theta = scaling.type === 'dynamic' ? dynamicTheta(config, scaling.factor, length) : config.theta;
  return Float32Array.from({ length: headWidth / 2 }, (_, pair) => {
    const frequency = 1 / theta ** ((2 * pair) / headWidth);
    if (scaling.type === 'linear') return frequency / scaling.factor;
    if (scaling.type === 'llama3') return rampedFrequency(frequency, scaling);
    return frequency;
  });
}

function dynamicTheta(config: RotaryConfig, factor: number, length: number): number {
  const stretch = Math.max(length, config.maxPositions) / config.maxPositions;
  return config.theta * (factor * stretch - (factor - 1)) ** (config.headWidth / (config.headWidth - 2));
}

/** Short wavelengths stay, long ones are stretched by the factor, and a linear ramp joins the two. */
function rampedFrequency(frequency: number, scaling: Extract<RotaryScaling, { type: 'llama3' }>): number {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalMaxPositions } = scaling;
  const turns = (originalMaxPositions * frequency) / (2 * Math.PI); // full turns within the trained length
  if (turns > high) return frequency;
  if (turns < low) return frequency / factor;
  const kept = (turns - low) / (high - low);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}

/**
 * Cosines and sines for the positions.
 * @param positions how many positions, starting from which, or their ids [B, T] (int32)
 */
export function rotaryTables(
  config: RotaryConfig,
  positions: { start: number; count: number } | tf.Tensor,
): RotaryTables {
  return tf.tidy(() => {
    const angles =
      positions instanceof tf.Tensor ? anglesOfIds(config, positions) : anglesOfRange(config, positions);
    return { cos: tf.cos(angles), sin: tf.sin(angles) };
  });
}

function anglesOfRange(config: RotaryConfig, { start, count }: { start: number; count: number }): tf.Tensor {
  const frequencies = rotaryFrequencies(config, start + count);
  const angles = Float32Array.from({ length: count * frequencies.length }, (_, i) => {
    const position = start + Math.floor(i / frequencies.length);
    return Math.fround(position * (frequencies[i % frequencies.length] ?? 0));
  });
  return tf.tensor(angles, [1, 1, count, frequencies.length]);
}

function anglesOfIds(config: RotaryConfig, ids: tf.Tensor): tf.Tensor {
  const [batch = 1, count = 1] = ids.shape;
  const frequencies =
    config.scaling.type === 'dynamic'
      ? dynamicFrequencies(config, config.scaling.factor, ids)
      : tf.tensor1d(rotaryFrequencies(config, config.maxPositions));
  return tf.mul(tf.reshape(tf.cast(ids, 'float32'), [batch, 1, count, 1]), frequencies); // [B, 1, T, d/2]
}

/** The dynamic type on ids that live on the device: reading their largest value back would stop WebGPU. */
function dynamicFrequencies(config: RotaryConfig, factor: number, ids: tf.Tensor): tf.Tensor {
  const { headWidth, maxPositions, theta } = config;
  const length = tf.maximum(tf.add(tf.cast(tf.max(ids), 'float32'), 1), maxPositions);
  const stretch = tf.sub(tf.mul(length, factor / maxPositions), factor - 1);
  const exponents = tf.mul(tf.range(0, headWidth / 2), -2 / headWidth);
  const base = tf.mul(theta, tf.pow(stretch, headWidth / (headWidth - 2)));
  return tf.pow(base, exponents);
}

/** Turns x [B, H, T, d], whose pairs are the halves (i, i + d/2), as in Hugging Face checkpoints. */
export function rotateHalves(x: tf.Tensor4D, tables: RotaryTables): tf.Tensor4D {
  const composed = (): tf.Tensor4D => {
    const [first, second] = halves(x);
    return tf.concat(turn(first, second, tables), -1);
  };
  return fusedRotary(x, tables, false) ?? tf.tidy(composed);
}

/** Turns x [B, H, T, d], whose pairs are neighbours (2i, 2i + 1), as in LLaMA's own checkpoints. */
export function rotateInterleaved(x: tf.Tensor4D, tables: RotaryTables): tf.Tensor4D {
  const composed = (): tf.Tensor4D => {
    const [batch, heads, length, width] = x.shape;
    checkEven(width);
    const pairs = tf.reshape(x, [batch, heads, length, width / 2, 2]);
    const [even, odd] = tf
      .unstack(pairs, -1)
      .map((part) => tf.reshape<tf.Rank.R4>(part, [batch, heads, length, width / 2]));
    if (!even || !odd) throw new Error('rotateInterleaved: a pair has two parts');
    return tf.reshape(tf.stack(turn(even, odd, tables), -1), x.shape);
  };
  return fusedRotary(x, tables, true) ?? tf.tidy(composed);
}

/** The two halves of the last axis. */
function halves(x: tf.Tensor4D): [tf.Tensor4D, tf.Tensor4D] {
  const [batch, heads, length, width] = x.shape;
  checkEven(width);
  const size = [batch, heads, length, width / 2] as const;
  return [tf.slice(x, [0, 0, 0, 0], [...size]), tf.slice(x, [0, 0, 0, width / 2], [...size])];
}

function checkEven(width: number): void {
  if (width % 2 !== 0) throw new InputError(`rotary: the head width must be even, got ${width}`);
}

/** (a, b) turned by the angle: the real and imaginary parts of (a + ib)·e^(iφ). */
function turn(a: tf.Tensor4D, b: tf.Tensor4D, { cos, sin }: RotaryTables): [tf.Tensor4D, tf.Tensor4D] {
  return [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))];
}

/**
 * Reorders the rows of a query or key weight [H·d, D] (or bias [H·d]) made for neighbouring pairs, so that it serves
 * the halves layout.
 */
export function interleavedToHalves(weight: tf.Tensor, numHeads: number): tf.Tensor {
  return tf.tidy(() => {
    const [rows = 0, ...rest] = weight.shape;
    const width = rows / numHeads;
    const inner = rest.reduce((product, size) => product * size, 1);
    const pairs = tf.reshape(weight, [numHeads, width / 2, 2, inner]);
    return tf.reshape(tf.transpose(pairs, [0, 2, 1, 3]), weight.shape);
  });
}
