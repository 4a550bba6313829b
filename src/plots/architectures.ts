/** The figures of the course's models. */

import { architectureFigure, type Figure } from './figure.ts';

/** BERT from its three embeddings to its two heads, with the shapes between them. */
export function bertFigure(): Figure {
  return architectureFigure({
    title: 'BERT',
    rows: [
      [
        { label: 'token embedding', note: 'table [V, D]', shape: '[B, T, D]', kind: 'data' },
        { label: 'segment embedding', note: 'table [2, D]', shape: '[B, T, D]', kind: 'data' },
        { label: 'position embedding', note: 'table [T max, D]', shape: '[T, D]', kind: 'data' },
      ],
      [{ label: 'sum, then layer norm', shape: '[B, T, D]', kind: 'norm' }],
      [{ label: 'self-attention', note: 'H heads, every token sees all', shape: '[B, T, D]' }],
      [{ label: 'add, then layer norm', shape: '[B, T, D]', kind: 'norm' }],
      [{ label: 'feed-forward', note: 'D → F → D with GELU', shape: '[B, T, D]' }],
      [{ label: 'add, then layer norm', shape: '[B, T, D]', kind: 'norm' }],
      [
        { label: 'masked-LM head', note: 'which word stood here?', shape: '[B, T, V]', kind: 'head' },
        { label: 'pooler, next sentence', note: 'does B follow A?', shape: '[B, 2]', kind: 'head' },
      ],
      [{ label: 'loss', note: 'the sum of both', kind: 'loss' }],
    ],
    groups: [{ from: 2, to: 5, label: '× L layers' }],
    residuals: [
      { from: 2, to: 3 },
      { from: 4, to: 5 },
    ],
  });
}
