/**
 * How to spend a compute budget: the loss L(N, D) = E + A/N^α + B/D^β of N parameters trained on D tokens, and its minimum
 * under C = 6·N·D (Hoffmann et al., 2022, "Training compute-optimal large language models", section 3.3, equations 2–4).
 */
import { InputError } from '../errors.ts';

export interface LossLaw {
  /** Loss of an ideal model: the entropy of text. */
  E: number;
  A: number;
  B: number;
  alpha: number;
  beta: number;
}

/** The law fitted to the Chinchilla experiments (Hoffmann et al., 2022, appendix D.3). */
export const CHINCHILLA_LAW: LossLaw = { E: 1.69, A: 406.4, B: 410.7, alpha: 0.34, beta: 0.28 };

/** L(N, D), in nats a token. */
export function predictLoss(parameters: number, tokens: number, law: LossLaw = CHINCHILLA_LAW): number {
  return law.E + law.A / parameters ** law.alpha + law.B / tokens ** law.beta;
}

export interface Allocation {
  parameters: number;
  tokens: number;
  loss: number;
}

/**
 * The parameters and tokens of least loss for a budget of C operations, in closed form:
 * N = G·(C/6)^(β/(α+β)), D = (C/6)^(α/(α+β))/G, G = (αA/(βB))^(1/(α+β)).
 * @throws InputError if the budget is not above 0
 */
export function allocateCompute(flops: number, law: LossLaw = CHINCHILLA_LAW): Allocation {
  if (!(flops > 0 && Number.isFinite(flops))) {
    throw new InputError(`allocateCompute: the budget must be above 0 operations, got ${flops}`);
  }
  const { A, B, alpha, beta } = law;
  const ratio = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta));
  const parameters = ratio * (flops / 6) ** (beta / (alpha + beta));
  const tokens = (flops / 6) ** (alpha / (alpha + beta)) / ratio;
  return { parameters, tokens, loss: predictLoss(parameters, tokens, law) };
}
