import * as tf from '@tensorflow/tfjs-core';
import { InputError } from '../errors.ts';
import { type FusedActivation, fusedActivation, fusedGated } from './fused.ts';

export type Activation = <T extends tf.Tensor>(x: T) => T;

/** x·Φ(x), with Φ the normal distribution's cumulative function (Hendrycks and Gimpel, 2016, equation 1). */
export function gelu<T extends tf.Tensor>(x: T): T {
  const composed = (): T => {
    const cumulative = tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
    return tf.mul<T>(x, cumulative);
  };
  return fusedActivation('gelu', x) ?? tf.tidy(composed);
}

/** GPT's approximation of GELU: ½x(1 + tanh(√(2/π)(x + 0.044715x³))). It differs from GELU by 4.7e-4 at most. */
export function geluTanh<T extends tf.Tensor>(x: T): T {
  const composed = (): T => {
    const cubic = tf.add(tf.mul(tf.mul(tf.square(x), x), 0.044715), x);
    const gate = tf.add(tf.tanh(tf.mul(cubic, Math.sqrt(2 / Math.PI))), 1);
    return tf.mul<T>(tf.mul(x, 0.5), gate);
  };
  return fusedActivation('geluTanh', x) ?? tf.tidy(composed);
}

export function relu<T extends tf.Tensor>(x: T): T {
  return tf.relu(x);
}

/** x·σ(x), also called swish. */
export function silu<T extends tf.Tensor>(x: T): T {
  return fusedActivation('silu', x) ?? tf.tidy(() => tf.mul<T>(x, tf.sigmoid(x)));
}

export function tanh<T extends tf.Tensor>(x: T): T {
  return tf.tanh(x);
}

const FUSED = new Map<Activation, FusedActivation>([
  [gelu, 'gelu'],
  [geluTanh, 'geluTanh'],
  [silu, 'silu'],
]);

/** activation(gate) ⊙ up, the inside of a gated linear unit (Shazeer, 2020, section 2). */
export function gated<T extends tf.Tensor>(activate: Activation, gate: T, up: T): T {
  const kind = FUSED.get(activate);
  const fused = kind && fusedGated(kind, gate, up);
  return fused ?? tf.tidy(() => tf.mul<T>(activate(gate), up));
}

/** The names that `hidden_act` and its kin take in config.json. */
export const ACTIVATIONS = {
  gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  relu,
  silu,
  swish: silu,
  tanh,
} as const satisfies Record<string, Activation>;

export type ActivationName = keyof typeof ACTIVATIONS;

/** Whether there is an activation of this name. */
export function isActivationName(name: string): name is ActivationName {
  return Object.hasOwn(ACTIVATIONS, name);
}

/**
 * The function that a config's `hidden_act` names.
 *
 * @throws InputError if the name is none of ACTIVATIONS.
 */
export function activation(name: string): Activation {
  if (isActivationName(name)) return ACTIVATIONS[name];
  const known = Object.keys(ACTIVATIONS).join(', ');
  throw new InputError(`unknown activation ${JSON.stringify(name)}: expected one of ${known}`);
}
