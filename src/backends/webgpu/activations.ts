/** GELU, SiLU and gated units, and their gradients: a dispatch each. src/core/fused.ts says when they are called. */

import { ACTIVATIONS, activationKind } from './functions.ts';
import { addKernel, missing } from './kernel.ts';
import { makeTensor, runEach } from './program.ts';

export function registerActivations(): void {
  addKernel('LabActivation', ({ backend, inputs: { x = missing() }, attrs }) => {
    const kind = activationKind(attrs.kind);
    const output = makeTensor(backend, x.shape);
    runEach(backend, {
      name: kind,
      inputs: { x },
      output,
      code: `${ACTIVATIONS[kind]}
        fn at(i: i32) { result[i] = activate(x[i]); }`,
    });
    return [output];
  });

  addKernel('LabActivationGradient', ({ backend, inputs: { x = missing(), dy = missing() }, attrs }) => {
    const kind = activationKind(attrs.kind);
    const output = makeTensor(backend, x.shape);
    runEach(backend, {
      name: `${kind} gradient`,
      inputs: { x, dy },
      output,
      code: `${ACTIVATIONS[kind]}
        fn at(i: i32) { result[i] = dy[i] * slope(x[i]); }`,
    });
    return [output];
  });

  addKernel('LabGated', ({ backend, inputs: { gate = missing(), up = missing() }, attrs }) => {
    const kind = activationKind(attrs.kind);
    const output = makeTensor(backend, gate.shape);
    runEach(backend, {
      name: `gated ${kind}`,
      inputs: { gate, up },
      output,
      code: `${ACTIVATIONS[kind]}
        fn at(i: i32) { result[i] = activate(gate[i]) * up[i]; }`,
    });
    return [output];
  });

  addKernel('LabGatedGradient', ({ backend, inputs, attrs }) => {
    const { gate = missing(), up = missing(), dy = missing() } = inputs;
    const kind = activationKind(attrs.kind);
    const [dGate, dUp] = [makeTensor(backend, gate.shape), makeTensor(backend, up.shape)];
    runEach(backend, {
      name: `gated ${kind} gradient`,
      inputs: { gate, up, dy },
      output: dGate,
      more: { madeUp: dUp },
      code: `${ACTIVATIONS[kind]}
        fn at(i: i32) {
          result[i] = dy[i] * up[i] * slope(gate[i]);
          madeUp[i] = dy[i] * activate(gate[i]);
        }`,
    });
    return [dGate, dUp];
  });
}
