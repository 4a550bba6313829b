/** AdamW: Adam with weight decay apart from the gradient (Loshchilov and Hutter, 2019, Algorithm 2). */

import * as tf from '@tensorflow/tfjs-core';
import { fusedAdamW } from '../core/fused.ts';
import { InputError } from '../errors.ts';
import type { Optimizer, OptimizerState } from './optimizer.ts';

export interface AdamWOptions {
  /** Decay of the running mean of gradients. Default 0.9. */
  beta1?: number;
  /** Decay of the running mean of squared gradients. Default 0.999. */
  beta2?: number;
  /** Added to the root of the second moment. Default 1e-8. */
  epsilon?: number;
  /** Each update takes learning rate × this share off the weights. Default 0.01. */
  weightDecay?: number;
  /** Which parameters decay. Default: all but biases and the gains and shifts of norms. */
  decays?: (name: string) => boolean;
}

/**
 * Whether a parameter decays by its name: not a bias, and not part of a norm (`layerNorm`, `input_layernorm`,
 * `ln_1`). Devlin et al. (2019) leave these out in the code published with the paper, and so does everybody since.
 */
export function decaysByName(name: string): boolean {
  const segments = name.split('.');
  return segments.at(-1) !== 'bias' && !segments.some((segment) => /norm|^ln(_|\d|$)/i.test(segment));
}

interface Moments {
  first: tf.Variable;
  second: tf.Variable;
}

/** An AdamW optimiser, the numbers of `torch.optim.AdamW`. */
export function adamW(options: AdamWOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, decays = decaysByName } = options;
  for (const [name, value] of Object.entries({ beta1, beta2 })) {
    if (!(value >= 0 && value < 1)) throw new InputError(`adamW: ${name} must lie in [0, 1), got ${value}`);
  }
  if (!(epsilon > 0)) throw new InputError(`adamW: epsilon must be positive, got ${epsilon}`);
  if (!(weightDecay >= 0))
    throw new InputError(`adamW: weightDecay must not be negative, got ${weightDecay}`);

  const moments = new Map<string, Moments>();
  let step = 0;

  function momentsOf(name: string, parameter: tf.Variable): Moments {
    const known = moments.get(name);
    if (known !== undefined) {
      if (known.first.shape.join() !== parameter.shape.join()) {
        throw new InputError(
          `the optimizer knows ${name} as [${known.first.shape}], but the parameter is [${parameter.shape}]`,
        );
      }
      return known;
    }
    const zeros = (): tf.Variable => tf.tidy(() => tf.variable(tf.zeros(parameter.shape), false));
    const created = { first: zeros(), second: zeros() };
    moments.set(name, created);
    return created;
  }

  function dispose(): void {
    for (const { first, second } of moments.values()) tf.dispose([first, second]);
    moments.clear();
    step = 0;
  }

  return {
    get step() {
      return step;
    },
    update(parameters, gradients, learningRate) {
      step++;
      // θ ← θ − λη·θ − η · m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ). The corrections are numbers,
      // so they are moved to the two scalars: η·m̂ / (√v̂ + ε) = (η·√c₂ / c₁) · m / (√v + ε·√c₂).
      const root = Math.sqrt(1 - beta2 ** step);
      const rate = (learningRate * root) / (1 - beta1 ** step);
      for (const [name, parameter] of parameters) {
        const gradient = gradients.get(name);
        if (gradient === undefined) continue;
        const { first, second } = momentsOf(name, parameter);
        const kept = decays(name) ? 1 - learningRate * weightDecay : 1;
        tf.tidy(() => {
          const fused = fusedAdamW(
            { weight: parameter, gradient, first, second },
            { beta1, beta2, rate, epsilon: epsilon * root, keep: kept },
          );
          if (fused !== undefined) {
            first.assign(fused.first);
            second.assign(fused.second);
            parameter.assign(fused.weight);
            return;
          }
          first.assign(tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1)));
          second.assign(tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
          const change = tf.div(tf.mul(first, rate), tf.add(tf.sqrt(second), epsilon * root));
          parameter.assign(tf.sub(kept === 1 ? parameter : tf.mul(parameter, kept), change));
        });
      }
    },
    async state() {
      const state: OptimizerState = { step, moments: {} };
      for (const [name, { first, second }] of moments) {
        const [a, b] = await Promise.all([first.data<'float32'>(), second.data<'float32'>()]);
        state.moments[name] = {
          shape: [...first.shape],
          first: Float32Array.from(a),
          second: Float32Array.from(b),
        };
      }
      return state;
    },
    restore(state) {
      dispose();
      step = state.step;
      for (const [name, { shape, first, second }] of Object.entries(state.moments)) {
        const variable = (values: Float32Array): tf.Variable =>
          tf.tidy(() => tf.variable(tf.tensor(Float32Array.from(values), shape), false));
        moments.set(name, { first: variable(first), second: variable(second) });
      }
    },
    dispose,
  };
}
