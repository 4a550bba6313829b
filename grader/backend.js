/** The backend that references and mutants run on: inputs are small, so plain JavaScript starts soonest and is as fast. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '../src/core/gradients.js';
/** Makes the `cpu` backend current. */
export async function startJudgeBackend() {
  // Else the first operation prints an advertisement for another package into every report. (IS_TEST would silence it
  // too, but takes tensors that a custom gradient keeps for a leak.)
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
  await tf.ready();
}
