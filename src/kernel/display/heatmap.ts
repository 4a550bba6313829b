import { encodePng } from './png.ts';

/** Values of one matrix, row by row. */
export interface Matrix {
  rows: number;
  columns: number;
  at(row: number, column: number): number;
}

const MOST_PIXELS = 160;
const GAP = 2;

type Rgb = readonly [number, number, number];
const BLUE: Rgb = [33, 102, 172];
const WHITE: Rgb = [247, 247, 247];
const RED: Rgb = [178, 24, 43];
const BACKGROUND: Rgb = [255, 255, 255];
/** for NaN and infinities: none of the scale's colours */
const MISSING: Rgb = [255, 214, 0];

function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** Blue below zero, white at zero, red above, both as strong as the largest magnitude. */
function colour(value: number, largest: number): Rgb {
  if (!Number.isFinite(value)) return MISSING;
  const share = largest === 0 ? 0 : Math.min(1, Math.abs(value) / largest);
  return mix(WHITE, value < 0 ? BLUE : RED, share);
}

/** The mean over the block of values that one pixel stands for. */
function pooled(matrix: Matrix, row: number, column: number, step: number): number {
  let sum = 0;
  let count = 0;
  for (let r = row * step; r < Math.min((row + 1) * step, matrix.rows); r++) {
    for (let c = column * step; c < Math.min((column + 1) * step, matrix.columns); c++) {
      sum += matrix.at(r, c);
      count += 1;
    }
  }
  return sum / count;
}

/** Matrices side by side as one PNG, a pixel a value (a mean of values where there are too many). */
export function heatMap(
  matrices: readonly Matrix[],
  largest: number,
): { png: Buffer; width: number; height: number } {
  const [first] = matrices;
  const rows = first?.rows ?? 0;
  const columns = first?.columns ?? 0;
  const step = Math.max(1, Math.ceil(Math.max(rows, columns) / MOST_PIXELS));
  const panelWidth = Math.ceil(columns / step);
  const height = Math.ceil(rows / step);
  const width = matrices.length * (panelWidth + GAP) - GAP;
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < pixels.length; i += 3) pixels.set(BACKGROUND, i);
  matrices.forEach((matrix, index) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < panelWidth; x++) {
        const value = step === 1 ? matrix.at(y, x) : pooled(matrix, y, x, step);
        const place = (y * width + index * (panelWidth + GAP) + x) * 3;
        pixels.set(colour(value, largest).map(Math.round), place);
      }
    }
  });
  return { png: encodePng(width, height, pixels), width, height };
}
