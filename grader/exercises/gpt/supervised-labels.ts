import { supervisedLabels } from '../../../src/objectives/fine-tuning.ts';
import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Args = [number[][], number[], number];

const IGNORED = -100;

/**
 * Prompt, answer, end token, padding with the same id as the end token. The prompt of the second row holds the end token too (an
 * earlier turn of a conversation); the last row was cut and has no end.
 */
function inputs(draw: Draw, rows: readonly { prompt: number; answer: number }[], length: number): Args {
  const endId = 2 + draw.rng.integer(5);
  const token = (): number => 10 + draw.rng.integer(80);
  const ids = rows.map(({ prompt, answer }, row) => {
    const asked = Array.from({ length: prompt }, (_, i) => (row === 1 && i === prompt - 2 ? endId : token()));
    const answered = Array.from({ length: answer }, token);
    const whole = [...asked, ...answered];
    return [...whole, ...Array.from({ length: length - whole.length }, () => endId)];
  });
  return [ids, rows.map(({ prompt }) => prompt), endId];
}

const labelled = (
  [rows, prompts, endId]: Args,
  rule: (id: number, place: number, prompt: number, end: number) => boolean,
): number[][] =>
  rows.map((ids, row) => {
    const prompt = prompts[row] ?? 0;
    const found = ids.indexOf(endId, prompt);
    const end = found === -1 ? ids.length : found;
    return ids.map((id, place) => (rule(id, place, prompt, end) ? id : IGNORED));
  });

export default defineExercise<Args>({
  id: 'gpt/supervised-labels',
  title: 'Labels of supervised fine-tuning',
  points: 2,
  entry: 'supervisedLabels',
  difficulty: 2,
  minutes: 20,
  signature:
    'supervisedLabels(rows: number[][] /* B rows of T ids */, promptLengths: number[] /* B */, endId: number): number[][]  // B rows of T labels, -100 = not learned',
  parameters: ['rows', 'promptLengths', 'endId'],
  tolerance: EXACT,
  reference: (rows, prompts, endId) => rows.map((ids, i) => supervisedLabels(ids, prompts[i] ?? 0, endId)),
  variants: [
    {
      name: 'by place',
      implementation: (...args) => labelled(args, (_, place, prompt, end) => place >= prompt && place <= end),
    },
    {
      name: 'one pass with a flag',
      implementation: (rows, prompts, endId) =>
        rows.map((ids, row) => {
          let ended = false;
          return ids.map((id, place) => {
            if (place < (prompts[row] ?? 0) || ended) return IGNORED;
            ended = id === endId;
            return id;
          });
        }),
    },
  ],
  mutants: [
    {
      id: 'prompt-in-the-loss',
      diagnosis:
        'The prompt has labels, so the model learns to write questions as well. Its labels are −100: only the answer is learned.',
      implementation: (...args) => labelled(args, (_, place, __, end) => place <= end),
    },
    {
      id: 'padding-counted',
      diagnosis:
        'The padding has labels, because it has the id of the end token. Only the first end token of the answer counts; everything after it is −100.',
      implementation: (...args) => labelled(args, (_, place, prompt) => place >= prompt),
    },
    {
      id: 'end-not-learned',
      diagnosis:
        'The end token after the answer is −100 with the padding. It must be learned, or the model never stops.',
      implementation: (...args) => labelled(args, (_, place, prompt, end) => place >= prompt && place < end),
    },
    {
      id: 'end-of-the-prompt-taken',
      diagnosis:
        'The first end token of the row is taken, and in one row it stands in the prompt. Search from the end of the prompt on: indexOf(endId, promptLength).',
      implementation: (...args) => {
        const [rows, , endId] = args;
        const ends = rows.map((ids) => (ids.includes(endId) ? ids.indexOf(endId) : ids.length));
        return rows.map((ids, row) =>
          ids.map((id, place) => (place >= (args[1][row] ?? 0) && place <= (ends[row] ?? 0) ? id : IGNORED)),
        );
      },
    },
    {
      id: 'one-token-late',
      diagnosis:
        'The first token of the answer is −100. It is the most important one to learn: the model predicts it from the last token of the prompt.',
      implementation: (...args) => labelled(args, (_, place, prompt, end) => place > prompt && place <= end),
    },
    {
      id: 'one-token-early',
      diagnosis:
        'The last token of the prompt has a label. The answer begins at place promptLength, counted from 0.',
      implementation: (...args) =>
        labelled(args, (_, place, prompt, end) => place >= prompt - 1 && place <= end),
    },
    {
      id: 'shifted-here',
      diagnosis:
        'The labels are shifted by one place. The loss shifts them, and only the loss: a label stands at the place of its own token.',
      implementation: (...args) =>
        labelled(args, (_, place, prompt, end) => place >= prompt && place <= end).map((row) => [
          ...row.slice(1),
          IGNORED,
        ]),
    },
    {
      id: 'zero-for-ignored',
      diagnosis: 'What is not learned is labelled 0. That is a token; the label to leave out is −100.',
      implementation: (...args) =>
        labelled(args, (_, place, prompt, end) => place >= prompt && place <= end).map((row) =>
          row.map((label) => (label === IGNORED ? 0 : label)),
        ),
    },
  ],
  cases: [
    {
      name: 'three rows, the last one cut',
      visibility: 'public',
      inputs: (draw) =>
        inputs(
          draw,
          [
            { prompt: 4, answer: 3 },
            { prompt: 5, answer: 2 },
            { prompt: 3, answer: 8 },
          ],
          11,
        ),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) =>
        inputs(
          draw,
          [
            { prompt: 7, answer: 2 },
            { prompt: 3, answer: 5 },
            { prompt: 6, answer: 1 },
            { prompt: 4, answer: 9 },
          ],
          13,
        ),
    },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'Which tokens should the model learn to write? And which one tells it to stop?',
    'For each row: end = ids.indexOf(endId, promptLength), or the length of the row if there is none; the label is the id where promptLength ≤ place ≤ end, and −100 elsewhere.',
    'L = −Σ log p(yₜ | prompt, y₀ … yₜ₋₁) over the answer y and its end token. Ouyang et al., 2022, "Training language models to follow instructions with human feedback", section 3.5 (supervised fine-tuning).',
  ],
});
