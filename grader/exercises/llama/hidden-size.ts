import { defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Args = [number, number];

export default defineExercise<Args>({
  id: 'llama/hidden-size',
  title: 'The hidden size of SwiGLU',
  points: 1,
  entry: 'hiddenSize',
  difficulty: 1,
  minutes: 10,
  signature: 'hiddenSize(width: number /* D */, multipleOf: number): number /* F */',
  parameters: ['width', 'multipleOf'],
  tolerance: EXACT,
  reference: (width, multiple) => multiple * Math.ceil(Math.floor((8 * width) / 3) / multiple),
  variants: [
    {
      name: 'the remainder added',
      implementation: (width, multiple) => {
        const size = Math.floor((2 * 4 * width) / 3);
        return size + ((multiple - (size % multiple)) % multiple);
      },
    },
  ],
  mutants: [
    {
      id: 'rounded-down',
      diagnosis: 'The size is rounded down to a multiple. Round it up.',
      implementation: (width, multiple) => multiple * Math.floor((8 * width) / 3 / multiple),
    },
    {
      id: 'rounded-to-the-nearest',
      diagnosis: 'The size is rounded to the nearest multiple. Round it up, always.',
      implementation: (width, multiple) => multiple * Math.round((8 * width) / 3 / multiple),
    },
    {
      id: 'always-one-more',
      diagnosis: 'One multiple is always added. A size that is a multiple already stays as it is.',
      implementation: (width, multiple) => multiple * (Math.floor((8 * width) / 3 / multiple) + 1),
    },
    {
      id: 'four-times',
      diagnosis:
        'The size is 4·D, as with two matrices. SwiGLU has three: ⅔ of 4·D keeps the parameters the same.',
      implementation: (width, multiple) => multiple * Math.ceil((4 * width) / multiple),
    },
    {
      id: 'four-forgotten',
      diagnosis: 'The size is ⅔·D. Take ⅔ of 4·D, the usual size of the feed-forward network.',
      implementation: (width, multiple) => multiple * Math.ceil((2 * width) / 3 / multiple),
    },
    {
      id: 'not-rounded',
      diagnosis: 'The size is not a multiple of multipleOf. Round ⅔·4·D up to the next one.',
      implementation: (width) => Math.floor((8 * width) / 3),
    },
  ],
  cases: [
    { name: 'LLaMA 7B', visibility: 'public', inputs: () => [4096, 256] },
    { name: 'LLaMA 13B', visibility: 'public', inputs: () => [5120, 256] },
    {
      name: 'a multiple already',
      visibility: 'hidden',
      inputs: (draw) => [96 * (1 + draw.rng.integer(5)), 64],
    },
    {
      name: 'a small width',
      visibility: 'hidden',
      inputs: (draw) => [3 * (16 * (1 + draw.rng.integer(5)) + 2), 64],
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Two matrices of D × 4·D, or three of D × F: for which F do both have as many parameters?',
    '⌊8·D / 3⌋, divided by multipleOf, rounded up, times multipleOf. D = 4096, multiple 256: 10922 → 11008.',
    'F = m·⌈⌊⅔·4·D⌋ / m⌉. Touvron et al., 2023, section 2.2 (⅔·4d); Shazeer, 2020, section 2.',
  ],
});
