import { describe, expect, it } from 'vitest';
import { accuracy, f1Score, perplexity } from '../../src/training/index.ts';

// Worked out by hand. Class 0: 2 hits, 1 false, 1 missed. Class 1: 1, 2, 1. Class 2: 1, 0, 1.
const labels = [0, 0, 0, 1, 1, 2, 2, -100];
const predictions = [0, 0, 1, 1, 0, 2, 1, 2];

describe('metrics', () => {
  it('counts hits among the labels that count', () => {
    expect(accuracy(predictions, labels)).toBe(4 / 7);
    expect(accuracy(Int32Array.from(predictions), Int32Array.from(labels))).toBe(4 / 7);
    expect(accuracy([], [])).toBeNaN();
  });

  it('gives F1 of one class, the mean of classes, and of all together', () => {
    expect(f1Score(predictions, labels)).toBeCloseTo(2 / 5, 12);
    expect(f1Score(predictions, labels, { positive: 0 })).toBeCloseTo(2 / 3, 12);
    expect(f1Score(predictions, labels, { average: 'macro' })).toBeCloseTo((2 / 3 + 2 / 5 + 2 / 3) / 3, 12);
    expect(f1Score(predictions, labels, { average: 'micro' })).toBeCloseTo(4 / 7, 12);
    expect(f1Score([0], [0])).toBe(0);
  });

  it('turns a loss into perplexity', () => {
    expect(perplexity(Math.log(37))).toBeCloseTo(37, 9);
  });

  it('refuses lists of different lengths', () => {
    expect(() => accuracy([1, 2], [1])).toThrow('2 predictions need as many labels, got 1');
  });
});
