/** The lab's own kernels for TensorFlow.js' webgpu backend, one idea a file. Fewer dispatches are less waiting. */

import { registerActivations } from './activations.ts';
import { registerAdamW } from './adamw.ts';
import { registerAttention } from './attention.ts';
import { registerCacheWrite } from './cache.ts';
import { registerCast } from './cast.ts';
import { registerCrossEntropy } from './cross-entropy.ts';
import { registerLinear } from './linear.ts';
import { registerMatMul } from './matmul.ts';
import { registerMovement } from './movement.ts';
import { registerNorms } from './norms.ts';
import { registerRotary } from './rotary.ts';
import { registerSoftmax } from './softmax.ts';
import { registerSums } from './sums.ts';
import { registerTables } from './tables.ts';
import { registerTrigonometry } from './trigonometry.ts';

export function registerKernels(): void {
  registerActivations();
  registerAdamW();
  registerAttention();
  registerCacheWrite();
  registerCast();
  registerCrossEntropy();
  registerLinear();
  registerMatMul();
  registerMovement();
  registerNorms();
  registerRotary();
  registerSoftmax();
  registerSums();
  registerTables();
  registerTrigonometry();
}
