/** A step of AdamW (src/training/adamw.ts): one dispatch a parameter instead of thirteen. */

import { addKernel, missing } from './kernel.ts';
import { makeTensor, runEach } from './program.ts';

export function registerAdamW(): void {
  addKernel('LabAdamW', ({ backend, inputs, attrs }) => {
    const { weight = missing(), gradient = missing(), first = missing(), second = missing() } = inputs;
    const make = () => makeTensor(backend, weight.shape);
    const made = { weight: make(), first: make(), second: make() };
    const { beta1, beta2, rate, epsilon, keep } = attrs;
    runEach(backend, {
      name: 'adamw',
      inputs: { weight, gradient, first, second },
      output: made.weight,
      more: { madeFirst: made.first, madeSecond: made.second },
      numbers: {
        beta1: Number(beta1),
        beta2: Number(beta2),
        // Made here: 1 − β₂ has few digits left in float32.
        rest1: 1 - Number(beta1),
        rest2: 1 - Number(beta2),
        rate: Number(rate),
        epsilon: Number(epsilon),
        keep: Number(keep),
      },
      code: `
        fn at(i: i32) {
          let g = gradient[i];
          let m = first[i] * uniforms.beta1 + g * uniforms.rest1;
          let v = second[i] * uniforms.beta2 + g * g * uniforms.rest2;
          madeFirst[i] = m;
          madeSecond[i] = v;
          result[i] = weight[i] * uniforms.keep - uniforms.rate * m / (sqrt(v) + uniforms.epsilon);
        }`,
    });
    return [made.weight, made.first, made.second];
  });
}
