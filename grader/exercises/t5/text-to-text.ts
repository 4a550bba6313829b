import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Task {
  name: string;
  prefix: string;
  labels: string[];
}
interface Example {
  task: string;
  input: string;
  label: number;
}

type Args = [Task[], Example[]];

const TASKS: Task[] = [
  { name: 'cola', prefix: 'cola sentence: ', labels: ['unacceptable', 'acceptable'] },
  { name: 'sst2', prefix: 'sst2 sentence: ', labels: ['negative', 'positive'] },
  { name: 'mnli', prefix: 'mnli premise: ', labels: ['entailment', 'neutral', 'contradiction'] },
];

type Pair = { input: string; target: string };

const convert = ([tasks, examples]: Args, pair: (task: Task, example: Example) => Pair): Pair[] =>
  examples.flatMap((example) => {
    const task = tasks.find(({ name }) => name === example.task);
    return task ? [pair(task, example)] : [];
  });

const right = ({ prefix, labels }: Task, { input, label }: Example): Pair => ({
  input: prefix + input,
  target: labels[label] ?? '',
});

/** Every label of every task once, in random order. */
function inputs(draw: Draw): Args {
  const words = ['the', 'cook', 'tea', 'is', 'fine', 'never', 'warm'] as const;
  const all = TASKS.flatMap(({ name, labels }) =>
    labels.map((_, label) => ({
      task: name,
      input: Array.from({ length: 4 }, () => draw.pick(words)).join(' '),
      label,
      key: draw.rng.next(),
    })),
  ).sort((a, b) => a.key - b.key);
  return [
    TASKS.map((task) => ({ ...task, labels: [...task.labels] })).reverse(),
    all.map(({ task, input, label }) => ({ task, input, label })),
  ];
}

export default defineExercise<Args>({
  id: 't5/text-to-text',
  title: 'Every task as text',
  points: 1,
  entry: 'textToText',
  difficulty: 1,
  minutes: 10,
  signature:
    'textToText(tasks: {name: string; prefix: string; labels: string[]}[], examples: {task: string; input: string; label: number}[]): {input: string; target: string}[]',
  parameters: ['tasks', 'examples'],
  tolerance: EXACT,
  reference: (...args) => convert(args, right),
  variants: [
    {
      name: 'with a Map',
      implementation: (tasks, examples) => {
        const byName = new Map(tasks.map((task) => [task.name, task]));
        return examples.map(({ task, input, label }) => ({
          target: byName.get(task)?.labels[label] ?? '',
          input: `${byName.get(task)?.prefix ?? ''}${input}`,
        }));
      },
    },
  ],
  mutants: [
    {
      id: 'no-prefix',
      diagnosis: 'The input lacks its prefix. Without it one model cannot know which task it is asked to do.',
      implementation: (...args) => convert(args, (task, e) => ({ ...right(task, e), input: e.input })),
    },
    {
      id: 'label-as-number',
      diagnosis: 'The target is the number of the label. T5 writes the label as a word.',
      implementation: (...args) =>
        convert(args, (task, e) => ({ ...right(task, e), target: String(e.label) })),
    },
    {
      id: 'prefix-behind',
      diagnosis: 'The prefix stands behind the input. It comes first.',
      implementation: (...args) =>
        convert(args, (task, e) => ({ ...right(task, e), input: e.input + task.prefix })),
    },
    {
      id: 'prefix-on-target',
      diagnosis: 'The target has the prefix too. It is the answer alone; the prefix belongs to the input.',
      implementation: (...args) =>
        convert(args, (task, e) => ({ ...right(task, e), target: task.prefix + right(task, e).target })),
    },
    {
      id: 'first-task',
      diagnosis: 'Every example is taken for one of the first task. Look its task up by name.',
      implementation: ([first, ...rest], examples) =>
        first ? examples.map((e) => right(first, e)) : convert([rest, examples], right),
    },
    {
      id: 'label-off-by-one',
      diagnosis: 'The labels are counted from 1. Label 0 is the first word of the list.',
      implementation: (...args) => convert(args, (task, e) => right(task, { ...e, label: e.label - 1 })),
    },
  ],
  cases: [
    {
      name: 'two tasks',
      visibility: 'public',
      inputs: () => [
        TASKS.slice(0, 2).map((task) => ({ ...task, labels: [...task.labels] })),
        [
          { task: 'sst2', input: 'the tea is fine', label: 1 },
          { task: 'cola', input: 'tea the is', label: 0 },
        ],
      ],
    },
    { name: 'three tasks', visibility: 'hidden', weight: 2, inputs },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'What must a model that does everything be told?',
    'For each example: find its task by name; input = prefix + input; target = labels[label].',
    'Raffel et al., 2020, section 2.4 and appendix D: a task-specific text prefix before each input, and the label as a word.',
  ],
});
