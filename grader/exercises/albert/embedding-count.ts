import { defineExercise, EXACT } from '../../define.ts';

type Args = [number, number, number];

export default defineExercise<Args>({
  id: 'albert/embedding-count',
  title: 'What the factorisation saves',
  points: 1,
  entry: 'embeddingSaving',
  difficulty: 1,
  minutes: 10,
  signature:
    'embeddingSaving(vocabulary: number /* V */, embedding: number /* E */, width: number /* D */): {plain: number; factorised: number}',
  parameters: ['vocabulary', 'embedding', 'width'],
  tolerance: EXACT,
  reference: (V, E, D) => ({ plain: V * D, factorised: V * E + E * D }),
  variants: [
    { name: 'factored out', implementation: (V, E, D) => ({ plain: D * V, factorised: E * (V + D) }) },
  ],
  mutants: [
    {
      id: 'projection-forgotten',
      diagnosis: 'The second matrix, from E to D, is not counted.',
      implementation: (V, E, D) => ({ plain: V * D, factorised: V * E }),
    },
    {
      id: 'table-still-wide',
      diagnosis:
        'The table of words is still counted with width D, and the projection comes on top. It has width E now.',
      implementation: (V, E, D) => ({ plain: V * D, factorised: V * D + E * D }),
    },
    {
      id: 'projected-per-word',
      diagnosis:
        'The projection is counted once for every word. All words share one matrix of E · D numbers.',
      implementation: (V, E, D) => ({ plain: V * D, factorised: V * E * D }),
    },
    {
      id: 'square-projection',
      diagnosis: 'The projection is counted as D · D. It leads from E to D.',
      implementation: (V, E, D) => ({ plain: V * D, factorised: V * E + D * D }),
    },
  ],
  cases: [
    { name: 'ALBERT base', visibility: 'public', inputs: () => [30_000, 128, 768] },
    {
      name: 'another size',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => [
        1000 + draw.rng.integer(9000),
        10 + draw.rng.integer(40),
        60 + draw.rng.integer(200),
      ],
    },
  ],
  hints: [
    'A matrix with V rows and D columns is replaced by two. What are their sizes?',
    'plain: one table [V, D]. factorised: a table [V, E] and a matrix [E, D]. Biases are not counted here.',
    'O(V·D) becomes O(V·E + E·D). Lan et al., 2020, "ALBERT", section 3.1.',
  ],
});
