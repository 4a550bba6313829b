import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';
import { corruptedTarget, document, type Noised, noised, TARGET_CORRUPTED } from './noise.ts';

type Args = [number[], number[], number];

/** Cuts behind each full stop. */
function sentencesOf(tokens: readonly number[], stopId: number): number[][] {
  const sentences: number[][] = [];
  let sentence: number[] = [];
  for (const id of tokens) {
    sentence.push(id);
    if (id !== stopId) continue;
    sentences.push(sentence);
    sentence = [];
  }
  return sentence.length > 0 ? [...sentences, sentence] : sentences;
}

function arrange(
  ids: number[],
  order: number[],
  stopId: number,
  change: (sentence: number[]) => number[] = (sentence) => sentence,
): Noised {
  const sentences = sentencesOf(ids.slice(1, -1), stopId);
  return noised(ids, [
    ...ids.slice(0, 1),
    ...order.flatMap((k) => change(sentences[k] ?? [])),
    ...ids.slice(-1),
  ]);
}

const inverse = (order: number[]): number[] => order.map((_, k) => order.indexOf(k));

/** Sentences of different lengths; the order is not its own inverse, and moves the first and the last. */
function inputs(draw: Draw, lengths: readonly number[], stopId: number, closed: boolean): Args {
  const words = document(
    draw,
    lengths.reduce((sum, n) => sum + n, 0),
  ).slice(1, -1);
  const text = lengths.flatMap((n) => [...words.splice(0, n), stopId]);
  const by = 1 + draw.rng.integer(lengths.length === 3 ? 2 : 1);
  const order = lengths.map((_, k) => (k + by) % lengths.length);
  return [[0, ...(closed ? text : text.slice(0, -1)), 2], order, stopId];
}

export default defineExercise<Args>({
  id: 'bart/sentence-permutation',
  title: 'Noise 4: sentence permutation',
  points: 2,
  entry: 'permutationNoise',
  difficulty: 2,
  minutes: 20,
  signature:
    'permutationNoise(ids: number[], order: number[], stopId: number): {source: number[]; target: number[]}',
  parameters: ['ids', 'order', 'stopId'],
  tolerance: EXACT,
  reference: (ids, order, stopId) => arrange(ids, order, stopId),
  variants: [
    {
      name: 'by the places of the full stops',
      implementation: (ids, order, stopId) => {
        const last = ids.length - 1;
        const stops = ids.flatMap((id, i) => (id === stopId ? [i + 1] : []));
        const bounds = [1, ...stops.filter((i) => i < last), last];
        const source = [...ids.slice(0, 1)];
        for (const k of order) source.push(...ids.slice(bounds[k], bounds[k + 1]));
        source.push(...ids.slice(last));
        return { source, target: [...ids] };
      },
    },
  ],
  mutants: [
    {
      id: 'inverse-order',
      diagnosis:
        'The inverse of the order is used. order[k] names the sentence that comes at place k, not the place to which sentence k goes.',
      implementation: (ids, order, stopId) => arrange(ids, inverse(order), stopId),
    },
    {
      id: 'special-touched',
      diagnosis:
        'The start and end tokens move with the first and the last sentence. Take them off, permute, and put them back.',
      implementation: (ids, order, stopId) => {
        const sentences = sentencesOf(ids.slice(0, -1), stopId);
        const last = sentences.length - 1;
        const withEnd = sentences.map((s, k) => (k === last ? [...s, ...ids.slice(-1)] : s));
        return noised(
          ids,
          order.flatMap((k) => withEnd[k] ?? []),
        );
      },
    },
    {
      id: 'target-corrupted',
      diagnosis: TARGET_CORRUPTED,
      implementation: (ids, order, stopId) => corruptedTarget(arrange(ids, order, stopId)),
    },
    {
      id: 'stop-lost',
      diagnosis: 'The full stops are lost. A full stop is the last token of its sentence and moves with it.',
      implementation: (ids, order, stopId) =>
        arrange(ids, order, stopId, (sentence) => sentence.filter((id) => id !== stopId)),
    },
    {
      id: 'words-turned',
      diagnosis: 'The words within the sentences are turned round. Only whole sentences change their place.',
      implementation: (ids, order, stopId) =>
        arrange(ids, order, stopId, (sentence) => sentence.toReversed()),
    },
    {
      id: 'not-permuted',
      diagnosis: 'The sentences stay in their order. Put sentence order[k] at place k.',
      implementation: (ids) => noised(ids, [...ids]),
    },
  ],
  cases: [
    {
      name: 'three sentences',
      visibility: 'public',
      inputs: (draw) => inputs(draw, [2, 4, 3], 5, true),
    },
    {
      name: 'five sentences, the last without a full stop',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, [3, 1, 5, 2, 4], 8, false),
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Where does a sentence end, and which two tokens belong to none?',
    'ids without the first and the last token → cut behind each stopId → sentences[order[0]], sentences[order[1]], … → start token before, end token behind. What follows the last full stop is a sentence too.',
    'Lewis et al., 2020, "BART", section 2.2, sentence permutation: a document is divided into sentences at full stops, and these are shuffled.',
  ],
});
