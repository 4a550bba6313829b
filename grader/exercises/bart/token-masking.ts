import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';
import { corruptedTarget, document, type Noised, noised, TARGET_CORRUPTED } from './noise.ts';

type Config = { ratio: number; specialIds: number[]; maskId: number };
type Args = [number[], number[], Config];

type Chosen = (i: number, id: number) => boolean;

const isChosen =
  (draws: number[], { ratio, specialIds }: Config): Chosen =>
  (i, id) =>
    !specialIds.includes(id) && (draws[i] ?? 1) < ratio;

const mask = (ids: number[], maskId: number, chosen: Chosen): Noised =>
  noised(
    ids,
    ids.map((id, i) => (chosen(i, id) ? maskId : id)),
  );

/** Start and end would be chosen were they not special; two neighbours are chosen, and others are not. */
function inputs(draw: Draw, words: number, ratio: number, maskId: number): Args {
  const ids = document(draw, words);
  const draws = ids.map(() => draw.rng.next());
  draws[0] = 0.01;
  draws[ids.length - 1] = 0.02;
  draws[2] = 0.03;
  draws[3] = 0.9 * ratio;
  draws[4] = 1.02 * ratio;
  draws[5] = 0.97;
  return [ids, draws, { ratio, specialIds: [0, 1, 2], maskId }];
}

export default defineExercise<Args>({
  id: 'bart/token-masking',
  title: 'Noise 1: token masking',
  points: 1,
  entry: 'maskNoise',
  difficulty: 1,
  minutes: 10,
  signature:
    'maskNoise(ids: number[], draws: number[], config: {ratio: number; specialIds: number[]; maskId: number}): {source: number[]; target: number[]}',
  parameters: ['ids', 'draws', 'config'],
  tolerance: EXACT,
  reference: (ids, draws, config) => mask(ids, config.maskId, isChosen(draws, config)),
  variants: [
    {
      name: 'written into a copy',
      implementation: (ids, draws, { ratio, specialIds, maskId }) => {
        const special = new Set(specialIds);
        const source = [...ids];
        for (const [i, id] of ids.entries()) {
          if (!special.has(id) && (draws[i] ?? 1) < ratio) source[i] = maskId;
        }
        return { source, target: ids.slice() };
      },
    },
  ],
  mutants: [
    {
      id: 'special-touched',
      diagnosis: 'The start and end tokens are masked too. Leave every token of specialIds as it is.',
      implementation: (ids, draws, { ratio, maskId }) => mask(ids, maskId, (i) => (draws[i] ?? 1) < ratio),
    },
    {
      id: 'target-corrupted',
      diagnosis: TARGET_CORRUPTED,
      implementation: (ids, draws, config) =>
        corruptedTarget(mask(ids, config.maskId, isChosen(draws, config))),
    },
    {
      id: 'run-becomes-one-mask',
      diagnosis:
        'Neighbouring chosen tokens share one mask. That is text infilling; token masking puts one mask for each token and keeps the length.',
      implementation: (ids, draws, config) => {
        const chosen = isChosen(draws, config);
        const { source } = mask(ids, config.maskId, chosen);
        return noised(
          ids,
          source.filter((_, i) => !(chosen(i, ids[i] ?? 0) && i > 0 && chosen(i - 1, ids[i - 1] ?? 0))),
        );
      },
    },
    {
      id: 'compared-the-wrong-way',
      diagnosis: 'The tokens that should stay are masked. A token is chosen where draws[i] < ratio.',
      implementation: (ids, draws, config) =>
        mask(
          ids,
          config.maskId,
          (i, id) => !config.specialIds.includes(id) && (draws[i] ?? 1) >= config.ratio,
        ),
    },
    {
      id: 'only-masked-in-target',
      diagnosis:
        'The target has −100 where nothing was masked: that is BERT. BART writes the whole document, so the target is all of it.',
      implementation: (ids, draws, config) => {
        const chosen = isChosen(draws, config);
        return {
          source: mask(ids, config.maskId, chosen).source,
          target: ids.map((id, i) => (chosen(i, id) ? id : -100)),
        };
      },
    },
  ],
  cases: [
    { name: 'a short document', visibility: 'public', inputs: (draw) => inputs(draw, 11, 0.3, 4) },
    {
      name: 'a longer one and another mask id',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, 37, 0.15, 7),
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Which tokens may be chosen at all? And what must the decoder write: the gaps, or everything?',
    'source has the length of ids: maskId where draws[i] < ratio and ids[i] is not special, else ids[i]. target is a copy of ids.',
    'Lewis et al., 2020, "BART", section 2.2, token masking: random tokens are replaced by the mask, as in BERT. The loss is that of the whole original document.',
  ],
});
