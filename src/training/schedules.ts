/** Learning rates over the course of training. */

import { InputError } from '../errors.ts';

/** The learning rate of an update, the first being step 0. */
export type Schedule = (step: number) => number;

export interface WarmUp {
  /** The highest learning rate. */
  peak: number;
  /** The rate rises from 0 in equal steps and is `peak` at this step. Default 0. */
  warmupSteps?: number;
}

export interface WarmUpAndDecay extends WarmUp {
  /** The step at which the decay ends. */
  totalSteps: number;
  /** The rate is never below this share of the peak while it decays. Default 0. */
  floor?: number;
}

/** The same rate at every step, after the warm-up. */
export function constantSchedule({ peak, warmupSteps = 0 }: WarmUp): Schedule {
  check(peak, warmupSteps);
  return (step) => peak * Math.min(1, warmed(step, warmupSteps));
}

/** Up in a straight line, and down in a straight line to 0 (or to the floor) at `totalSteps`: BERT's schedule. */
export function linearSchedule({ peak, warmupSteps = 0, totalSteps, floor = 0 }: WarmUpAndDecay): Schedule {
  check(peak, warmupSteps, totalSteps, floor);
  return decaying(peak, warmupSteps, totalSteps, (progress) => floor + (1 - floor) * (1 - progress));
}

/**
 * Up in a straight line, and down along half a cosine (Loshchilov and Hutter, 2017, eq. 5): GPT's schedule. GPT-3
 * and LLaMA keep a floor of 0.1.
 */
export function cosineSchedule({ peak, warmupSteps = 0, totalSteps, floor = 0 }: WarmUpAndDecay): Schedule {
  check(peak, warmupSteps, totalSteps, floor);
  return decaying(peak, warmupSteps, totalSteps, (progress) => {
    return floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress));
  });
}

/**
 * Up in a straight line, and then down as 1 / √step, scaled to be `peak` at the end of the warm-up (Vaswani et al.,
 * 2017, eq. 3; Raffel et al., 2020, §3.1.2).
 */
export function inverseSquareRootSchedule({ peak, warmupSteps }: Required<WarmUp>): Schedule {
  check(peak, warmupSteps);
  if (warmupSteps < 1)
    throw new InputError('an inverse square root schedule needs at least 1 step of warm-up');
  return (step) => peak * (step < warmupSteps ? warmed(step, warmupSteps) : Math.sqrt(warmupSteps / step));
}

const warmed = (step: number, warmupSteps: number): number => (step < warmupSteps ? step / warmupSteps : 1);

function decaying(
  peak: number,
  warmupSteps: number,
  totalSteps: number,
  rest: (progress: number) => number,
): Schedule {
  return (step) => {
    if (step < warmupSteps) return peak * warmed(step, warmupSteps);
    return peak * rest(Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps)));
  };
}

function check(peak: number, warmupSteps: number, totalSteps = Number.POSITIVE_INFINITY, floor = 0): void {
  if (!(peak >= 0 && Number.isFinite(peak)))
    throw new InputError(`schedule: peak must not be negative, got ${peak}`);
  if (!(warmupSteps >= 0))
    throw new InputError(`schedule: warmupSteps must not be negative, got ${warmupSteps}`);
  if (!(totalSteps >= warmupSteps)) {
    throw new InputError(
      `schedule: totalSteps (${totalSteps}) must not be less than warmupSteps (${warmupSteps})`,
    );
  }
  if (!(floor >= 0 && floor <= 1))
    throw new InputError(`schedule: floor must lie between 0 and 1, got ${floor}`);
}
