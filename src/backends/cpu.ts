/** Plain JavaScript: exact and slow. Only by explicit choice, to check another backend against. */

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { Backend } from './backend.ts';

export const cpuBackend: Backend = {
  name: 'cpu',
  probe: async () => ({ name: 'cpu', available: true, detail: 'plain JavaScript, slow, for checking' }),
  start: async () => {
    if (!(await tf.setBackend('cpu'))) throw new Error('TensorFlow.js refuses it');
    return 'JavaScript';
  },
};
