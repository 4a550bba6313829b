import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';
import { corruptedTarget, document, type Noised, noised, TARGET_CORRUPTED } from './noise.ts';

interface Span {
  start: number;
  length: number;
}

type Args = [number[], Span[], number];

/** Replaces each span, the last first so that starts stay valid, by what `filler` gives for it. */
function infill(
  ids: number[],
  spans: Span[],
  filler: (length: number) => number[],
  { end = ids.length - 1, removed = (length: number) => length } = {},
): Noised {
  const source = [...ids];
  for (const { start, length } of spans.toReversed()) {
    const clipped = Math.min(removed(length), end - start);
    source.splice(start, clipped, ...filler(clipped));
  }
  return noised(ids, source);
}

/** Spans of 2, 0, 3, … tokens, and one at the end that would take the end token along. */
function inputs(draw: Draw, lengths: readonly number[], maskId: number): Args {
  const spans: Span[] = [];
  let at = 1;
  for (const length of lengths) {
    at += 1 + draw.rng.integer(3);
    spans.push({ start: at, length });
    at += length;
  }
  const words = at + 3;
  const ids = document(draw, words);
  return [ids, [...spans, { start: words - 1, length: 5 }], maskId];
}

export default defineExercise<Args>({
  id: 'bart/text-infilling',
  title: 'Noise 3: text infilling',
  points: 3,
  entry: 'infillingNoise',
  difficulty: 3,
  minutes: 25,
  signature:
    'infillingNoise(ids: number[], spans: {start: number; length: number}[], maskId: number): {source: number[]; target: number[]}',
  parameters: ['ids', 'spans', 'maskId'],
  tolerance: EXACT,
  reference: (ids, spans, maskId) => infill(ids, spans, () => [maskId]),
  variants: [
    {
      name: 'copied from left to right',
      implementation: (ids, spans, maskId) => {
        const source: number[] = [];
        let at = 0;
        for (const { start, length } of spans) {
          source.push(...ids.slice(at, start), maskId);
          at = Math.min(start + length, ids.length - 1);
        }
        return { source: [...source, ...ids.slice(at)], target: [...ids] };
      },
    },
  ],
  mutants: [
    {
      id: 'one-mask-per-token',
      diagnosis:
        'A span of n tokens becomes n masks, which tells the model how much is missing. One mask stands for the whole span, whatever its length.',
      implementation: (ids, spans, maskId) =>
        infill(ids, spans, (length) => Array.from({ length: Math.max(1, length) }, () => maskId)),
    },
    {
      id: 'zero-length-skipped',
      diagnosis:
        'A span of length 0 leaves no trace. It inserts a mask: the model must learn that a mask may stand for nothing.',
      implementation: (ids, spans, maskId) => infill(ids, spans, (length) => (length === 0 ? [] : [maskId])),
    },
    {
      id: 'zero-length-takes-a-token',
      diagnosis:
        'A span of length 0 swallows the token at its start. It only inserts a mask before that token.',
      implementation: (ids, spans, maskId) =>
        infill(ids, spans, () => [maskId], { removed: (length) => Math.max(1, length) }),
    },
    {
      id: 'end-token-swallowed',
      diagnosis:
        'The last span takes the end token along. A span stops before it: cut its length so that start + length ≤ ids.length − 1.',
      implementation: (ids, spans, maskId) => infill(ids, spans, () => [maskId], { end: ids.length }),
    },
    {
      id: 'target-corrupted',
      diagnosis: TARGET_CORRUPTED,
      implementation: (ids, spans, maskId) => corruptedTarget(infill(ids, spans, () => [maskId])),
    },
    {
      id: 'starts-not-moved',
      diagnosis:
        'The text is changed from left to right while the starts still count in the original: all spans after the first land too late. Work from the last span to the first, or copy.',
      implementation: (ids, spans, maskId) => {
        const source = [...ids];
        for (const { start, length } of spans) {
          source.splice(start, Math.min(length, ids.length - 1 - start), maskId);
        }
        return noised(ids, source);
      },
    },
    {
      id: 'no-mask',
      diagnosis: 'The spans are gone without a mask: that is deletion. One mask stands for each span.',
      implementation: (ids, spans) => infill(ids, spans, () => []),
    },
  ],
  cases: [
    { name: 'spans of 2, 0 and 3', visibility: 'public', inputs: (draw) => inputs(draw, [2, 0, 3], 4) },
    {
      name: 'more spans and another mask id',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, [1, 4, 0, 0, 6, 2], 7),
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'What should the number of masks tell the model about the number of missing words?',
    'Spans are sorted and do not overlap; start counts in ids. For each: copy up to start, put one maskId, go on at min(start + length, ids.length − 1). At the end copy the rest. Length 0 copies all and still puts a mask.',
    'Lewis et al., 2020, "BART", section 2.2, text infilling: span lengths are Poisson with λ = 3, each span becomes a single mask, and 0-length spans insert one.',
  ],
});
