import { describe, expect, it } from 'vitest';
import { IGNORED } from '../../src/core/losses.ts';
import { causalLabels, packBlocks, packFullSentences } from '../../src/objectives/index.ts';

const [BEGIN, END, SEPARATOR] = [0, 2, 2];

describe('full sentences', () => {
  const documents = [
    [
      [11, 12, 13],
      [14, 15],
    ],
    [[21], [22, 23]],
    [],
    [[31, 32, 33, 34]],
  ];

  it('fills inputs with whole sentences, crossing documents with a separator', () => {
    expect(
      packFullSentences(documents, { maxTokens: 9, separator: SEPARATOR, begin: BEGIN, end: END }),
    ).toEqual([
      [BEGIN, 11, 12, 13, 14, 15, SEPARATOR, 21, END],
      [BEGIN, 22, 23, SEPARATOR, 31, 32, 33, 34, END],
    ]);
  });

  it('sets no separator where an input begins with a document, and none within one', () => {
    expect(packFullSentences(documents, { maxTokens: 5, separator: 99 })).toEqual([
      [11, 12, 13, 14, 15],
      [21, 22, 23],
      [31, 32, 33, 34],
    ]);
  });

  it('keeps every token in order and no input too long, cutting only sentences that fit nowhere', () => {
    const many = Array.from({ length: 20 }, (_, d) =>
      Array.from({ length: (d * 7) % 5 }, (_, s) =>
        Array.from({ length: 1 + ((d + s) % 17) }, (_, i) => 1000 + d * 100 + s * 20 + i),
      ),
    );
    for (const maxTokens of [3, 8, 12, 30]) {
      const inputs = packFullSentences(many, { maxTokens, separator: 5, begin: 6, end: 7 });
      expect(Math.max(...inputs.map(({ length }) => length))).toBeLessThanOrEqual(maxTokens);
      expect(inputs.flat().filter((id) => id >= 1000)).toEqual(many.flat(2));
      for (const input of inputs) expect([input[0], input.at(-1)]).toEqual([6, 7]);
    }
    expect(() => packFullSentences(many, { maxTokens: 2, separator: 5, begin: 6, end: 7 })).toThrow(
      'no room',
    );
  });
});

describe('blocks for a causal model', () => {
  it('is one row with an end after each document, cut at every length', () => {
    expect(packBlocks([[1, 2, 3], [], [4, 5]], 3, 9)).toEqual([
      [1, 2, 3],
      [9, 9, 4],
    ]);
  });

  it('labels tokens with themselves and padding with −100, shifting nothing', () => {
    expect(causalLabels([7, 8, 9, 9], [1, 1, 1, 0])).toEqual([7, 8, 9, IGNORED]);
    expect(() => causalLabels([7, 8], [1])).toThrow('2 ids need a mask as long, got 1');
  });
});
