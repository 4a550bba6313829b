/** Fitting power laws L(x) = constant · x^exponent, straight lines on logarithmic axes. */
import { InputError } from '../errors.ts';
import { studentQuantile } from './student.ts';

export interface Interval {
  low: number;
  high: number;
}

export interface PowerLaw {
  exponent: number;
  constant: number;
  /** Where the exponent and the constant lie with the given confidence, if the residuals are normal on log axes. */
  exponentInterval: Interval;
  constantInterval: Interval;
  /** Share of the variance of log L that the line explains, 1 for a perfect fit. */
  rSquared: number;
  /** L(x). */
  predict(x: number): number;
}

/**
 * The power law closest to the points by least squares of ln L on ln x, with confidence intervals by Student's t.
 * @param points at least two with different x, all numbers above 0
 * @param confidence of the intervals, 0.95 unless given; with two points they are infinite
 * @throws InputError for points that cannot be fitted
 */
export function fitPowerLaw(points: readonly { x: number; y: number }[], confidence = 0.95): PowerLaw {
  if (!(confidence > 0 && confidence < 1)) {
    throw new InputError(`fitPowerLaw: confidence must lie between 0 and 1, got ${confidence}`);
  }
  const wrong = points.find(({ x, y }) => !(x > 0 && y > 0 && Number.isFinite(x) && Number.isFinite(y)));
  if (wrong) throw new InputError(`fitPowerLaw: x and y must be above 0, got (${wrong.x}, ${wrong.y})`);
  const logs = points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const meanX = mean(logs.map(({ x }) => x));
  const meanY = mean(logs.map(({ y }) => y));
  const sxx = sum(logs.map(({ x }) => (x - meanX) ** 2));
  if (!(sxx > 0)) throw new InputError('fitPowerLaw: at least two points with different x are needed');
  const exponent = sum(logs.map(({ x, y }) => (x - meanX) * (y - meanY))) / sxx;
  const intercept = meanY - exponent * meanX;
  const residual = sum(logs.map(({ x, y }) => (y - intercept - exponent * x) ** 2));
  const spread = sum(logs.map(({ y }) => (y - meanY) ** 2));

  const freedom = points.length - 2;
  const width = freedom > 0 ? studentQuantile((1 + confidence) / 2, freedom) : Number.POSITIVE_INFINITY;
  const variance = freedom > 0 ? residual / freedom : 1;
  const exponentError = width * Math.sqrt(variance / sxx);
  const interceptError = width * Math.sqrt(variance * (1 / points.length + meanX ** 2 / sxx));
  const constant = Math.exp(intercept);
  return {
    exponent,
    constant,
    exponentInterval: { low: exponent - exponentError, high: exponent + exponentError },
    constantInterval: {
      low: Math.exp(intercept - interceptError),
      high: Math.exp(intercept + interceptError),
    },
    rSquared: spread > 0 ? 1 - residual / spread : 1,
    predict: (x) => constant * x ** exponent,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
