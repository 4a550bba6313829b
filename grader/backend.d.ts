/** The backend that references and mutants run on: inputs are small, so plain JavaScript starts soonest and is as fast. */
import '@tensorflow/tfjs-backend-cpu';
import '../src/core/gradients.ts';
/** Makes the `cpu` backend current. */
export declare function startJudgeBackend(): Promise<void>;
