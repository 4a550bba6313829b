/** Published figures of scaling, with the place where each is printed. */

/** Operations of a petaflop/s kept up for a day, the unit of Kaplan and of the GPT-3 paper. */
export const PETAFLOP_DAY = 1e15 * 24 * 3600;

/**
 * Power laws of Kaplan et al., 2020, "Scaling laws for neural language models", section 1.2: L = (scale/x)^exponent in
 * nats a token, x not being limited by the two others. Parameters do not count embeddings; compute is in
 * petaflop/s-days, allocated optimally.
 */
export const KAPLAN_LAWS = {
  parameters: { exponent: 0.076, scale: 8.8e13, equation: '1.1' },
  tokens: { exponent: 0.095, scale: 5.4e13, equation: '1.2' },
  compute: { exponent: 0.05, scale: 3.1e8, equation: '1.3' },
} as const;

/** L(x) of one of Kaplan's laws. */
export function kaplanLoss(law: keyof typeof KAPLAN_LAWS, x: number): number {
  const { exponent, scale } = KAPLAN_LAWS[law];
  return (scale / x) ** exponent;
}

/**
 * How the best number of parameters and of tokens grow with compute, N ∝ C^a and D ∝ C^b: Hoffmann et al., 2022, table 2,
 * with the 10th and 90th percentile of their estimates.
 */
export const OPTIMAL_EXPONENTS = [
  { source: 'Hoffmann et al., approach 1', a: 0.5, aRange: [0.488, 0.502], b: 0.5, bRange: [0.501, 0.512] },
  { source: 'Hoffmann et al., approach 2', a: 0.49, aRange: [0.462, 0.534], b: 0.51, bRange: [0.483, 0.529] },
  { source: 'Hoffmann et al., approach 3', a: 0.46, aRange: [0.454, 0.455], b: 0.54, bRange: [0.542, 0.543] },
  { source: 'Kaplan et al.', a: 0.73, b: 0.27 },
] as const;

/** Models before Chinchilla and Chinchilla: Hoffmann et al., 2022, table 1. */
export const LARGE_MODELS = [
  { name: 'LaMDA', parameters: 137e9, tokens: 168e9 },
  { name: 'GPT-3', parameters: 175e9, tokens: 300e9 },
  { name: 'Jurassic', parameters: 178e9, tokens: 300e9 },
  { name: 'Gopher', parameters: 280e9, tokens: 300e9 },
  { name: 'MT-NLG', parameters: 530e9, tokens: 270e9 },
  { name: 'Chinchilla', parameters: 70e9, tokens: 1.4e12 },
] as const;

/** Compute and tokens that suit a number of parameters, by approach 1: Hoffmann et al., 2022, table 3. */
export const CHINCHILLA_OPTIMAL = [
  { parameters: 400e6, flops: 1.92e19, tokens: 8e9 },
  { parameters: 1e9, flops: 1.21e20, tokens: 20.2e9 },
  { parameters: 10e9, flops: 1.23e22, tokens: 205.1e9 },
  { parameters: 67e9, flops: 5.76e23, tokens: 1.5e12 },
  { parameters: 175e9, flops: 3.85e24, tokens: 3.7e12 },
  { parameters: 280e9, flops: 9.9e24, tokens: 5.9e12 },
  { parameters: 520e9, flops: 3.43e25, tokens: 11e12 },
  { parameters: 1e12, flops: 1.27e26, tokens: 21.2e12 },
  { parameters: 10e12, flops: 1.3e28, tokens: 216.2e12 },
] as const;
