import { describe, expect, it } from 'vitest';
import { createRng } from '../../src/core/random.ts';
import {
  allocateCompute,
  CHINCHILLA_LAW,
  CHINCHILLA_OPTIMAL,
  fitPowerLaw,
  kaplanLoss,
  OPTIMAL_EXPONENTS,
  predictLoss,
} from '../../src/scaling/index.ts';
import { studentQuantile } from '../../src/scaling/student.ts';

describe('fitting a power law', () => {
  const law = (x: number): number => 7.5 * x ** -0.31;

  it('recovers the exponent and the constant of exact points', () => {
    const fit = fitPowerLaw([1e3, 4e4, 5e5, 9e7].map((x) => ({ x, y: law(x) })));
    expect(fit.exponent).toBeCloseTo(-0.31, 12);
    expect(fit.constant).toBeCloseTo(7.5, 10);
    expect(fit.rSquared).toBeCloseTo(1, 12);
    expect(fit.predict(1e12)).toBeCloseTo(law(1e12), 12);
  });

  it('agrees with a regression worked out by hand', () => {
    // ln x = 0, 1, 2 and ln y = 0, 1, 1: slope 1/2, intercept 1/6, residual 1/6; t(0.975, 1) = 12.7062.
    const points = [
      [0, 0],
      [1, 1],
      [2, 1],
    ].map(([x = 0, y = 0]) => ({ x: Math.exp(x), y: Math.exp(y) }));
    const fit = fitPowerLaw(points);
    expect(fit.exponent).toBeCloseTo(0.5, 12);
    expect(Math.log(fit.constant)).toBeCloseTo(1 / 6, 12);
    expect(fit.rSquared).toBeCloseTo(0.75, 12);
    const halfWidth = 12.706204736 * Math.sqrt(1 / 6 / 2);
    expect(fit.exponentInterval.high - fit.exponent).toBeCloseTo(halfWidth, 6);
    expect(fit.exponent - fit.exponentInterval.low).toBeCloseTo(halfWidth, 6);
  });

  it('its 90 % interval holds the true exponent in about 90 of 100 noisy fits', () => {
    const rng = createRng('power-law');
    let held = 0;
    const runs = 400;
    for (let run = 0; run < runs; run++) {
      const points = [1e3, 1e4, 1e5, 1e6, 1e7].map((x) => ({ x, y: law(x) * Math.exp(0.1 * rng.normal()) }));
      const { low, high } = fitPowerLaw(points, 0.9).exponentInterval;
      if (low <= -0.31 && -0.31 <= high) held += 1;
    }
    expect(held / runs).toBeGreaterThan(0.86);
    expect(held / runs).toBeLessThan(0.94);
  });

  it('two points leave the interval open', () => {
    const { exponent, exponentInterval } = fitPowerLaw([
      { x: 1, y: 8 },
      { x: 4, y: 2 },
    ]);
    expect(exponent).toBeCloseTo(-1, 12);
    expect(exponentInterval).toEqual({ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY });
  });

  it.each([
    ['one point', [{ x: 2, y: 3 }], /different x/],
    [
      'equal x',
      [
        { x: 2, y: 3 },
        { x: 2, y: 4 },
      ],
      /different x/,
    ],
    [
      'a loss of 0',
      [
        { x: 2, y: 0 },
        { x: 3, y: 4 },
      ],
      /\(2, 0\)/,
    ],
  ])('refuses %s', (_, points, message) => {
    expect(() => fitPowerLaw(points)).toThrow(message);
  });

  it.each([
    // Tables of Student's t, two-sided 95 % and 99 %.
    [0.975, 1, 12.7062],
    [0.975, 2, 4.3027],
    [0.975, 5, 2.5706],
    [0.975, 30, 2.0423],
    [0.995, 10, 3.1693],
    [0.95, 4, 2.1318],
    [0.025, 5, -2.5706],
  ])('the %f quantile of t with %i degrees of freedom is %f', (p, freedom, t) => {
    expect(studentQuantile(p, freedom)).toBeCloseTo(t, 4);
  });
});

describe('compute-optimal allocation', () => {
  it('spends the budget, and no other split of it does better', () => {
    const budget = 3e21;
    const { parameters, tokens, loss } = allocateCompute(budget);
    expect((6 * parameters * tokens) / budget).toBeCloseTo(1, 12);
    for (const factor of [0.5, 0.9, 0.999, 1.001, 1.1, 2]) {
      expect(predictLoss(parameters * factor, tokens / factor)).toBeGreaterThan(loss);
    }
  });

  it('has the exponents of approach 3, rounded as printed', () => {
    const { alpha, beta } = CHINCHILLA_LAW;
    const [, , approach] = OPTIMAL_EXPONENTS;
    // The paper's own α and β have more digits than it prints, hence one hundredth.
    expect(Math.abs(beta / (alpha + beta) - approach.a)).toBeLessThan(0.011);
    const grown = allocateCompute(1e22).parameters / allocateCompute(1e20).parameters;
    expect(Math.log(grown) / Math.log(100)).toBeCloseTo(beta / (alpha + beta), 12);
  });

  it('parameters and tokens change places with their constants', () => {
    const { A, B, alpha, beta } = CHINCHILLA_LAW;
    const mirrored = { ...CHINCHILLA_LAW, A: B, B: A, alpha: beta, beta: alpha };
    const [one, other] = [allocateCompute(1e20), allocateCompute(1e20, mirrored)];
    expect(other.parameters / one.tokens).toBeCloseTo(1, 12);
    expect(other.tokens / one.parameters).toBeCloseTo(1, 12);
  });

  it('refuses a budget of nothing', () => {
    expect(() => allocateCompute(0)).toThrow(/above 0/);
  });
});

describe('published figures', () => {
  it('Kaplan’s laws are 1 nat at their scale', () => {
    expect(kaplanLoss('parameters', 8.8e13)).toBe(1);
    expect(kaplanLoss('tokens', 5.4e13)).toBe(1);
    expect(kaplanLoss('parameters', 1e9)).toBeCloseTo(2.375, 2);
  });

  it('the rows of Chinchilla’s table keep C = 6·N·D within their rounding', () => {
    for (const { parameters, tokens, flops } of CHINCHILLA_OPTIMAL) {
      expect(Math.abs((6 * parameters * tokens) / flops - 1)).toBeLessThan(0.05);
    }
  });
});
