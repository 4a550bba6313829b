/** −log softmax(logits)[label] of each row and its gradient, softmax − one-hot, without a tensor of probabilities. */

import { FALLING_EXP } from './functions.ts';
import { addKernel, missing } from './kernel.ts';
import { makeTensor, rowsOf, runEach, runProgram, sizeOf } from './program.ts';
import { reductions, threadsFor } from './reduce.ts';
import { LOWEST } from './softmax.ts';

export function registerCrossEntropy(): void {
  addKernel('LabCrossEntropy', ({ backend, inputs: { logits = missing(), labels = missing() }, attrs }) => {
    const { rows, width } = rowsOf(logits);
    const threads = threadsFor(width);
    const [losses, logSums] = [makeTensor(backend, labels.shape), makeTensor(backend, labels.shape)];
    runProgram(backend, {
      name: 'cross entropy',
      inputs: { logits, labels },
      output: losses,
      more: { madeLogSums: logSums },
      threads,
      workgroups: rows,
      integers: { rows, width, ignored: Number(attrs.ignored) },
      code: `${reductions(threads)}${FALLING_EXP}
        fn main(index: i32) {
          let row = min(index / THREADS, uniforms.rows - 1);
          let base = row * uniforms.width;
          var largest = ${LOWEST};
          for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
            let logit = logits[base + c];
            largest = select(max(largest, logit), logit, isnan(logit) || isnan(largest));
          }
          largest = largestOf(largest);
          var sum = 0.0;
          for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
            sum += fallingExp(logits[base + c] - largest);
          }
          let logSum = largest + log(sumOf(sum));
          let label = labels[row];
          let counts = label != uniforms.ignored && label < uniforms.width;
          if (localIndex == 0u) {
            madeLogSums[row] = logSum;
            result[row] = select(0.0, logSum - logits[base + clamp(label, 0, uniforms.width - 1)], counts);
          }
        }`,
    });
    return [losses, logSums];
  });

  addKernel('LabCrossEntropyGradient', ({ backend, inputs, attrs }) => {
    const { logits = missing(), labels = missing(), logSums = missing(), dy = missing() } = inputs;
    const { width } = rowsOf(logits);
    const output = makeTensor(backend, logits.shape);
    runEach(backend, {
      name: 'cross entropy gradient',
      inputs: { logits, labels, logSums, dy },
      output,
      count: sizeOf(logits),
      integers: { width, ignored: Number(attrs.ignored) },
      code: `${FALLING_EXP}
        fn at(i: i32) {
          let row = i / uniforms.width;
          let label = labels[row];
          let chosen = i % uniforms.width == max(label, 0);
          let p = fallingExp(logits[i] - logSums[row]);
          let slope = (p - select(0.0, 1.0, chosen)) * dy[row];
          result[i] = select(slope, 0.0, label == uniforms.ignored);
        }`,
    });
    return [output];
  });
}
