/** Functions of single numbers in WGSL, to float32's precision also where the language asks less of a GPU. */

/** e^x for x ≤ 0 and for NaN; 0 far below, so that no score that is masked leaves a trace. */
export const FALLING_EXP = `
  fn fallingExp(x: f32) -> f32 {
    return select(exp(x), 0.0, x < -87.0);
  }`;

/** tanh by e^x: WGSL's own may be off by 10⁻⁵ (WebGPU Shading Language, "Accuracy of built-in functions"). */
const TANH = `
  fn tanhOf(x: f32) -> f32 {
    let power = exp(-2.0 * abs(x));
    return sign(x) * (1.0 - power) / (1.0 + power);
  }`;

/** Φ, the normal distribution's cumulative function, by erf: Abramowitz and Stegun, 7.1.26, and its series near 0. */
const NORMAL = `
  fn erfOf(x: f32) -> f32 {
    let a = abs(x);
    let s = x * x;
    let near = x * 1.1283791671 * (1.0 + s * (-1.0 / 3.0 + s * (0.1 + s * (-1.0 / 42.0 + s / 216.0))));
    let t = 1.0 / (1.0 + 0.3275911 * a);
    let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    let far = sign(x) * (1.0 - p * exp(-s));
    return select(far, near, a < 0.5);
  }`;

export type ActivationKind = 'gelu' | 'geluTanh' | 'silu';

/** `activate(x)` and its derivative `slope(x)`; src/core/activations.ts has the formulas. */
export const ACTIVATIONS: Readonly<Record<ActivationKind, string>> = {
  gelu: `${NORMAL}
    fn cumulative(x: f32) -> f32 { return 0.5 * (1.0 + erfOf(x * 0.70710678119)); }
    fn activate(x: f32) -> f32 { return x * cumulative(x); }
    fn slope(x: f32) -> f32 { return cumulative(x) + x * 0.39894228040 * exp(-0.5 * x * x); }`,
  geluTanh: `${TANH}
    fn inner(x: f32) -> f32 { return 0.79788456080 * (x + 0.044715 * x * x * x); }
    fn activate(x: f32) -> f32 { return 0.5 * x * (1.0 + tanhOf(inner(x))); }
    fn slope(x: f32) -> f32 {
      let t = tanhOf(inner(x));
      let dInner = 0.79788456080 * (1.0 + 0.134145 * x * x);
      return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * dInner;
    }`,
  silu: `
    fn logistic(x: f32) -> f32 {
      let power = exp(-abs(x));
      return select(power, 1.0, x >= 0.0) / (1.0 + power);
    }
    fn activate(x: f32) -> f32 { return x * logistic(x); }
    fn slope(x: f32) -> f32 {
      let s = logistic(x);
      return s * (1.0 + x * (1.0 - s));
    }`,
};

/** @throws TypeError for a name that is none of `ACTIVATIONS` */
export function activationKind(name: unknown): ActivationKind {
  if (name === 'gelu' || name === 'geluTanh' || name === 'silu') return name;
  throw new TypeError(`no activation is called ${String(name)}`);
}
