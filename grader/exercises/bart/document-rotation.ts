import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';
import { corruptedTarget, document, type Noised, noised, TARGET_CORRUPTED } from './noise.ts';

type Args = [number[], number];

const rotate = (ids: number[], start: number): Noised =>
  noised(ids, [...ids.slice(0, 1), ...ids.slice(start, -1), ...ids.slice(1, start), ...ids.slice(-1)]);

/** Never the first word nor the middle, where turning left and right are the same. */
const inputs = (draw: Draw, words: number): Args => [
  document(draw, words),
  3 + draw.rng.integer(Math.floor(words / 2) - 3),
];

export default defineExercise<Args>({
  id: 'bart/document-rotation',
  title: 'Noise 5: document rotation',
  points: 1,
  entry: 'rotationNoise',
  difficulty: 1,
  minutes: 10,
  signature: 'rotationNoise(ids: number[], start: number): {source: number[]; target: number[]}',
  parameters: ['ids', 'start'],
  tolerance: EXACT,
  reference: rotate,
  variants: [
    {
      name: 'by the remainder',
      implementation: (ids, start) => {
        const n = ids.length - 2;
        const source = ids.map((id, i) =>
          i === 0 || i === n + 1 ? id : (ids[1 + ((i - 1 + start - 1) % n)] ?? 0),
        );
        return { source, target: [...ids] };
      },
    },
  ],
  mutants: [
    {
      id: 'special-touched',
      diagnosis: 'The start and end tokens turn with the words. Rotate what stands between them.',
      implementation: (ids, start) => noised(ids, [...ids.slice(start), ...ids.slice(0, start)]),
    },
    {
      id: 'target-corrupted',
      diagnosis: TARGET_CORRUPTED,
      implementation: (ids, start) => corruptedTarget(rotate(ids, start)),
    },
    {
      id: 'wrong-direction',
      diagnosis:
        'The document is turned the other way. The token at ids[start] comes first, and what stood before it comes last.',
      implementation: (ids, start) => rotate(ids, ids.length - start),
    },
    {
      id: 'one-too-late',
      diagnosis: 'The document begins one token too late. start counts in ids, the start token included.',
      implementation: (ids, start) => rotate(ids, start + 1),
    },
    {
      id: 'front-lost',
      diagnosis: 'What stood before the new beginning is gone. It comes last, before the end token.',
      implementation: (ids, start) => noised(ids, [...ids.slice(0, 1), ...ids.slice(start)]),
    },
  ],
  cases: [
    { name: 'a short document', visibility: 'public', inputs: (draw) => inputs(draw, 11) },
    { name: 'a longer one', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 30) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Think of the words on a ring. Which two tokens are not on it?',
    'source = ids[0], ids[start … n − 2], ids[1 … start − 1], ids[n − 1], with n = ids.length.',
    'Lewis et al., 2020, "BART", section 2.2, document rotation: a token is chosen, and the document is rotated to begin with it. The model learns to find the beginning.',
  ],
});
