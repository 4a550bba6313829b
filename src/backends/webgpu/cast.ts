/**
 * Casting whole numbers and truth values to float32 writes new numbers. TensorFlow.js only gives the old ones another
 * name, and each of its programs asks anew what they really are; the lab's read what the name says.
 */

import { replaceKernel } from './kernel.ts';
import { makeTensor, runEach, sizeOf } from './program.ts';

export function registerCast(): void {
  replaceKernel('Cast', ({ backend, inputs: { x }, attrs: { dtype } }) => {
    const isWhole = x !== undefined && (x.dtype === 'int32' || x.dtype === 'bool');
    if (!isWhole || dtype !== 'float32' || sizeOf(x) === 0) return undefined;
    const output = makeTensor(backend, x.shape);
    runEach(backend, {
      name: `${x.dtype} to float32`,
      inputs: { x },
      output,
      code: 'fn at(i: i32) { result[i] = f32(x[i]); }',
    });
    return output;
  });
}
