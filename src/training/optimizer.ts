/** What an optimiser is to the training loop. */

import type * as tf from '@tensorflow/tfjs-core';

/** Changes parameters by their gradients, and remembers what it needs for the next time. */
export interface Optimizer {
  /** How many updates were made. */
  readonly step: number;
  /** One update in place, at this learning rate. Parameters without a gradient are left as they are. */
  update(
    parameters: ReadonlyMap<string, tf.Variable>,
    gradients: ReadonlyMap<string, tf.Tensor>,
    learningRate: number,
  ): void;
  /** All it remembers, as plain numbers, to be written down and given to `restore`. */
  state(): Promise<OptimizerState>;
  /** Continues from a state, as if it had never stopped. */
  restore(state: OptimizerState): void;
  /** Frees its tensors and forgets all. */
  dispose(): void;
}

export interface OptimizerState {
  step: number;
  /** By parameter name. */
  moments: Record<
    string,
    { shape: number[]; first: Float32Array<ArrayBuffer>; second: Float32Array<ArrayBuffer> }
  >;
}
