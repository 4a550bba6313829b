/** A program: loads the addon named on the command line and sees that it computes a product and a gradient. */

import * as tf from '@tensorflow/tfjs-core';
import '../../core/gradients.ts';
import { messageOf } from '../../errors.ts';
import { type NativeName, startAddon } from './index.ts';

async function verify(name: NativeName, addon: string): Promise<string> {
  const device = await startAddon(name, addon);
  const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
  const product = await tf.matMul(a, a, false, true).data();
  expectNumbers('the matrix product', product, [14, 32, 32, 77]);
  const lookUp = (table: tf.Tensor): tf.Tensor =>
    tf.sum(tf.square(tf.gather(table, tf.tensor1d([1, 1], 'int32'))));
  expectNumbers('the gradient', await tf.grad(lookUp)(a).data(), [0, 0, 0, 16, 20, 24]);
  return device;
}

function expectNumbers(what: string, actual: ArrayLike<number>, expected: number[]): void {
  if (expected.some((number, i) => Math.abs((actual[i] ?? Number.NaN) - number) > 1e-4 * Math.abs(number))) {
    throw new Error(`${what} is ${Array.from(actual)}, expected ${expected}`);
  }
}

const [name, addon = ''] = process.argv.slice(2);
try {
  console.log(`device: ${await verify(name === 'cuda' ? 'cuda' : 'tensorflow', addon)}`);
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
