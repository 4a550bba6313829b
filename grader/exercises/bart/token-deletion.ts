import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';
import { corruptedTarget, document, type Noised, noised, TARGET_CORRUPTED } from './noise.ts';

type Config = { ratio: number; specialIds: number[] };
type Args = [number[], number[], Config];

/** Start and end would be chosen were they not special; two neighbours are. */
function inputs(draw: Draw, words: number, ratio: number): Args {
  const ids = document(draw, words);
  const draws = ids.map(() => draw.rng.next());
  draws[0] = 0.01;
  draws[ids.length - 1] = 0.02;
  draws[2] = 0.03;
  draws[3] = 0.9 * ratio;
  draws[4] = 1.02 * ratio;
  draws[5] = 0.97;
  return [ids, draws, { ratio, specialIds: [0, 1, 2] }];
}

const isKept =
  (draws: number[], { ratio, specialIds }: Config) =>
  (id: number, i: number): boolean =>
    specialIds.includes(id) || (draws[i] ?? 1) >= ratio;

const remove = (ids: number[], draws: number[], config: Config): Noised =>
  noised(ids, ids.filter(isKept(draws, config)));

export default defineExercise<Args>({
  id: 'bart/token-deletion',
  title: 'Noise 2: token deletion',
  points: 1,
  entry: 'deletionNoise',
  difficulty: 1,
  minutes: 10,
  signature:
    'deletionNoise(ids: number[], draws: number[], config: {ratio: number; specialIds: number[]}): {source: number[]; target: number[]}',
  parameters: ['ids', 'draws', 'config'],
  tolerance: EXACT,
  reference: remove,
  variants: [
    {
      name: 'pushed one by one',
      implementation: (ids, draws, { ratio, specialIds }) => {
        const source: number[] = [];
        for (const [i, id] of ids.entries()) {
          if ((draws[i] ?? 1) < ratio && !specialIds.includes(id)) continue;
          source.push(id);
        }
        return { source, target: [...ids] };
      },
    },
  ],
  mutants: [
    {
      id: 'special-touched',
      diagnosis: 'The start and end tokens are deleted too. Leave every token of specialIds where it is.',
      implementation: (ids, draws, { ratio }) =>
        noised(
          ids,
          ids.filter((_, i) => (draws[i] ?? 1) >= ratio),
        ),
    },
    {
      id: 'target-corrupted',
      diagnosis: TARGET_CORRUPTED,
      implementation: (ids, draws, config) => corruptedTarget(remove(ids, draws, config)),
    },
    {
      id: 'gap-left-behind',
      diagnosis:
        'A padding token stands where a token was deleted. Nothing may stand there: the model has to find out where something is missing.',
      implementation: (ids, draws, config) => {
        const kept = isKept(draws, config);
        return noised(
          ids,
          ids.map((id, i) => (kept(id, i) ? id : 1)),
        );
      },
    },
    {
      id: 'index-moves',
      diagnosis:
        'After each deletion the tokens move up and the wrong ones are deleted, or some are passed over. Decide for the original positions, then filter.',
      implementation: (ids, draws, { ratio, specialIds }) => {
        const source = [...ids];
        for (let i = 0; i < source.length; i++) {
          if ((draws[i] ?? 1) < ratio && !specialIds.includes(source[i] ?? 0)) source.splice(i, 1);
        }
        return noised(ids, source);
      },
    },
    {
      id: 'compared-the-wrong-way',
      diagnosis: 'The tokens that should stay are deleted. A token is deleted where draws[i] < ratio.',
      implementation: (ids, draws, { ratio, specialIds }) =>
        noised(
          ids,
          ids.filter((id, i) => specialIds.includes(id) || (draws[i] ?? 1) < ratio),
        ),
    },
  ],
  cases: [
    { name: 'a short document', visibility: 'public', inputs: (draw) => inputs(draw, 12, 0.3) },
    { name: 'a longer one', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 41, 0.2) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'How does the model know where a token is missing? Must anything tell it?',
    'source is shorter than ids: it keeps ids[i] where the token is special or draws[i] ≥ ratio. target is a copy of ids.',
    'Lewis et al., 2020, "BART", section 2.2, token deletion: unlike masking, the model must decide which positions are missing inputs.',
  ],
});
