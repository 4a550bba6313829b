import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Corrupted {
  inputIds: number[];
  replaced: number[];
}

type Args = [number[], number[], number[]];

const MASK = 4;

function corrupt(
  original: number[],
  positions: number[],
  sampled: number[],
  labelOf: (position: number, k: number) => number,
): Corrupted {
  const inputIds = [...original];
  const replaced = original.map(() => 0);
  for (const [k, position] of positions.entries()) {
    inputIds[position] = sampled[k] ?? 0;
    replaced[position] = labelOf(position, k);
  }
  return { inputIds, replaced };
}

/** Some of the samples are the original token: right guesses of the generator. */
function inputs(draw: Draw, length: number): Args {
  const original = Array.from({ length }, () => 10 + draw.rng.integer(40));
  const positions = original.map((_, i) => i).filter((i) => i % 3 === 1 || draw.rng.next() < 0.1);
  const sampled = positions.map((position, k) => {
    const own = original[position] ?? 0;
    // Every third guess is right; a wrong one is often the token next door, which must not be taken for it.
    if (k % 3 === 0) return own;
    return k % 3 === 1
      ? (original[position + 1] ?? own + 1) + (original[position + 1] === own ? 1 : 0)
      : own + 1;
  });
  return [original, positions, sampled];
}

export default defineExercise<Args>({
  id: 'electra/corrupt',
  title: 'Replaced, or only guessed right?',
  points: 2,
  entry: 'corrupt',
  difficulty: 2,
  minutes: 15,
  signature:
    'corrupt(original: number[], positions: number[], sampled: number[]): {inputIds: number[]; replaced: number[]}',
  parameters: ['original', 'positions', 'sampled'],
  tolerance: EXACT,
  reference: (original, positions, sampled) =>
    corrupt(original, positions, sampled, (position, k) => (sampled[k] === original[position] ? 0 : 1)),
  variants: [
    {
      name: 'the labels by comparing the two rows',
      implementation: (original, positions, sampled) => {
        const at = new Map(positions.map((position, k) => [position, sampled[k] ?? 0]));
        const inputIds = original.map((id, i) => at.get(i) ?? id);
        return { inputIds, replaced: inputIds.map((id, i) => Number(id !== original[i])) };
      },
    },
  ],
  mutants: [
    {
      id: 'label-is-masked',
      diagnosis:
        'Every position that was masked is labelled as replaced. Where the generator guessed the original token, nothing was replaced: the label is 0.',
      implementation: (original, positions, sampled) => corrupt(original, positions, sampled, () => 1),
    },
    {
      id: 'mask-left-in',
      diagnosis:
        'The discriminator gets the masked text. It must get the text with the sampled tokens filled in: ELECTRA never shows it a [MASK].',
      implementation: (original, positions, sampled) => {
        const { replaced } = corrupt(original, positions, sampled, (position, k) =>
          sampled[k] === original[position] ? 0 : 1,
        );
        const hidden = new Set(positions);
        return { inputIds: original.map((id, i) => (hidden.has(i) ? MASK : id)), replaced };
      },
    },
    {
      id: 'labels-reversed',
      diagnosis: 'The labels are reversed: 1 means replaced, 0 means original.',
      implementation: (original, positions, sampled) => {
        const right = corrupt(original, positions, sampled, (position, k) =>
          sampled[k] === original[position] ? 0 : 1,
        );
        return { inputIds: right.inputIds, replaced: right.replaced.map((label) => 1 - label) };
      },
    },
    {
      id: 'text-unchanged',
      diagnosis: 'The text is returned as it was. Put sampled[k] at positions[k].',
      implementation: (original, positions, sampled) => ({
        inputIds: [...original],
        replaced: corrupt(original, positions, sampled, (position, k) =>
          sampled[k] === original[position] ? 0 : 1,
        ).replaced,
      }),
    },
    {
      id: 'right-guesses-only',
      diagnosis: 'Right guesses are labelled 1. It is the wrong ones that are replaced.',
      implementation: (original, positions, sampled) =>
        corrupt(original, positions, sampled, (position, k) => (sampled[k] === original[position] ? 1 : 0)),
    },
  ],
  cases: [
    {
      name: 'a short text',
      visibility: 'public',
      inputs: () => [
        [11, 12, 13, 14, 15, 16, 17],
        [1, 3, 6],
        [30, 14, 12],
      ],
    },
    { name: 'a longer text', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 40) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'The generator sometimes guesses right. Can anybody tell that token from the original?',
    'inputIds = copy of original with sampled[k] at positions[k]; replaced[i] = 1 where inputIds[i] ≠ original[i], else 0; both as long as original.',
    'Clark et al., 2020, "ELECTRA", section 2: if the generator happens to produce the correct token, that token is considered real instead of fake.',
  ],
});
