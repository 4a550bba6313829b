/** The fields that the schemas of `config.json` share. */
import { z } from 'zod';
import { ACTIVATIONS, type ActivationName, isActivationName } from '../core/activations.ts';
import { InputError } from '../errors.ts';

/** A whole number from 1. */
export const size = z.int().positive();
/** More layers than any model has: a bound for what a hostile file can make us build. */
export const layers = z.int().positive().max(10_000);
function activationNames(): ActivationName[] {
  return Object.keys(ACTIVATIONS).filter(isActivationName);
}

/** The name of an activation that the library has. */
export const activationName = z.enum(activationNames());
/** A dropout rate. */
export const rate = z.number().min(0).lt(1);
/** The standard deviation of first weights. */
export const spread = z.number().nonnegative();
/** A token id that a configuration may leave open. */
export const tokenId = z.int().nullish();
/** One end-of-sequence token, or several. */
export const endTokens = z.union([z.int(), z.array(z.int())]).nullish();

/** Refuses a width that its heads do not divide. */
export function requireDivisible(name: string, width: number, headsName: string, heads: number): void {
  if (width % heads !== 0) {
    throw new InputError(`config.json: ${name} must be a multiple of ${headsName} (${heads}), got ${width}`);
  }
}
