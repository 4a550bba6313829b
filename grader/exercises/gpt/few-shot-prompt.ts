import { fewShotPrompt } from '../../../src/objectives/in-context.ts';
import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Example {
  question: string;
  answer: string;
}

type Args = [Example[], string, string | null];

const QUESTIONS = [
  ['two plus three', 'five'],
  ['one plus six', 'seven'],
  ['four plus four', 'eight'],
  ['nine minus three', 'six'],
  ['ten minus one', 'nine'],
] as const;

function inputs(draw: Draw, shots: number, instruction: string | null): Args {
  const start = draw.rng.integer(QUESTIONS.length);
  const all = QUESTIONS.map((_, i) => QUESTIONS[(i + start) % QUESTIONS.length] ?? QUESTIONS[0]);
  const examples = all.slice(0, shots).map(([question, answer]) => ({ question, answer }));
  return [examples, all.at(-1)?.[0] ?? '', instruction];
}

const solved = ({ question, answer }: Example): string => `Q: ${question}\nA: ${answer}`;
const parts = ([examples, question, instruction]: Args): string[] => [
  ...(instruction === null ? [] : [instruction]),
  ...examples.map(solved),
  `Q: ${question}\nA:`,
];

export default defineExercise<Args>({
  id: 'gpt/few-shot-prompt',
  title: 'A task told in the prompt',
  points: 1,
  entry: 'fewShotPrompt',
  difficulty: 1,
  minutes: 10,
  signature:
    'fewShotPrompt(examples: {question: string; answer: string}[], question: string, instruction: string | null): string',
  parameters: ['examples', 'question', 'instruction'],
  tolerance: EXACT,
  reference: (examples, question, instruction) =>
    fewShotPrompt(examples, question, instruction === null ? {} : { instruction }),
  variants: [
    {
      name: 'piece by piece',
      implementation: (examples, question, instruction) => {
        let text = instruction === null ? '' : `${instruction}\n\n`;
        for (const example of examples) text += `${solved(example)}\n\n`;
        return `${text}Q: ${question}\nA:`;
      },
    },
  ],
  mutants: [
    {
      id: 'examples-left-out',
      diagnosis: 'The examples are not in the prompt. They stand, solved, before the question.',
      implementation: (_, question, instruction) => parts([[], question, instruction]).join('\n\n'),
    },
    {
      id: 'question-first',
      diagnosis:
        'The question comes before the examples. It must come last: the model goes on where the prompt ends.',
      implementation: (examples, question, instruction) => {
        const all = parts([examples, question, instruction]);
        const head = instruction === null ? 0 : 1;
        return [...all.slice(0, head), ...all.slice(-1), ...all.slice(head, -1)].join('\n\n');
      },
    },
    {
      id: 'answers-left-out',
      diagnosis: 'The examples have no answers. Solved examples are what tells the model the task.',
      implementation: (examples, question, instruction) =>
        parts([examples, question, instruction]).join('\n\n').replaceAll(/A: .*/g, 'A:'),
    },
    {
      id: 'space-at-the-end',
      diagnosis:
        'The prompt ends with a space. In byte-level BPE the space belongs to the word that follows, so the answer would have to begin with a token that rarely begins words: end with "A:".',
      implementation: (...args) => `${parts(args).join('\n\n')} `,
    },
    {
      id: 'no-answer-line',
      diagnosis:
        'The prompt ends with the question. It must end with the line "A:", where the answer begins.',
      implementation: (...args) => parts(args).join('\n\n').slice(0, -'\nA:'.length),
    },
    {
      id: 'instruction-left-out',
      diagnosis: 'The instruction is not in the prompt. If it is not null, it is the first part.',
      implementation: (examples, question) => parts([examples, question, null]).join('\n\n'),
    },
    {
      id: 'no-empty-lines',
      diagnosis: 'The parts are separated by one line break. There is an empty line between them.',
      implementation: (...args) => parts(args).join('\n'),
    },
    {
      id: 'examples-reversed',
      diagnosis: 'The examples stand in reverse order. Keep the order in which they came.',
      implementation: (examples, question, instruction) =>
        parts([examples.toReversed(), question, instruction]).join('\n\n'),
    },
  ],
  cases: [
    {
      name: '2-shot, with an instruction',
      visibility: 'public',
      inputs: (draw) => inputs(draw, 2, 'Answer with a number word.'),
    },
    { name: '0-shot', visibility: 'public', inputs: (draw) => inputs(draw, 0, null) },
    { name: '1-shot', visibility: 'hidden', inputs: (draw) => inputs(draw, 1, null) },
    { name: '3-shot', visibility: 'hidden', inputs: (draw) => inputs(draw, 3, 'Do the sum.') },
    { name: '0-shot, with an instruction', visibility: 'hidden', inputs: (draw) => inputs(draw, 0, 'Add.') },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'The model only continues a text. Which text has the answer as its most natural continuation?',
    'Parts: the instruction if there is one; each example as "Q: …\\nA: …"; the question as "Q: …\\nA:". Join them with "\\n\\n".',
    'k examples, then the question: 0-, 1- and k-shot of Brown et al., 2020, "Language models are few-shot learners", section 2 and figure 2.1. Nothing is trained: the examples are only read.',
  ],
});
