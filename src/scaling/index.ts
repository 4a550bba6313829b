export { type Architecture as ArchitectureSizes, describeArchitecture, type Stack } from './architecture.ts';
export {
  type Allocation,
  allocateCompute,
  CHINCHILLA_LAW,
  type LossLaw,
  predictLoss,
} from './compute-optimal.ts';
export {
  approximateTrainingFlops,
  countForwardFlops,
  countModelParameters,
  countTokenCost,
  countTrainingFlops,
  type FlopCount,
  type Lengths,
  type ParameterCount,
} from './counting.ts';
export { fitPowerLaw, type Interval, type PowerLaw } from './power-law.ts';
export {
  CHINCHILLA_OPTIMAL,
  KAPLAN_LAWS,
  kaplanLoss,
  LARGE_MODELS,
  OPTIMAL_EXPONENTS,
  PETAFLOP_DAY,
} from './published.ts';
