/** `lab exercises`: what there is to solve, and the proof that it is judged rightly. */
import { Command, InvalidArgumentError } from 'commander';
import { startJudgeBackend } from '../../../grader/backend.ts';
import type { Exercise } from '../../../grader/define.ts';
import { allExercises, findExercise } from '../../../grader/discover.ts';
import { faults } from '../../../grader/proof.ts';
import { startBackend } from '../../backends/index.ts';

interface Options {
  json?: boolean;
  prove?: number;
  backend: string;
}

export function exercisesCommand(): Command {
  return new Command('exercises')
    .summary('list all exercises with their cases and known mistakes')
    .argument('[id]', 'only this exercise')
    .option(
      '--prove <seeds>',
      'prove on so many seeds that right answers pass and every known mistake is named',
      seeds,
    )
    .option(
      '--backend <name>',
      'what the proof computes with: cpu judges in lab grade, notebooks run on wasm',
      'cpu',
    )
    .option('--json', 'print an array of {id, title, points, cases, hidden, properties, mutants, variants}')
    .addHelpText('after', '\nExample:\n  npx lab exercises bert/pooler --prove 20')
    .action(async (id: string | undefined, options: Options) => {
      const exercises = id === undefined ? await allExercises() : [await findExercise(id)];
      if (options.json === true) console.log(JSON.stringify(exercises.map(row), null, 2));
      else for (const exercise of exercises) console.log(text(exercise));
      if (options.prove !== undefined) await prove(exercises, options.prove, options);
    });
}

function row({ id, title, points, difficulty, minutes, cases, properties, mutants, variants }: Exercise) {
  return {
    id,
    title,
    points,
    difficulty,
    minutes,
    cases: cases.length,
    hidden: cases.filter(({ visibility }) => visibility === 'hidden').length,
    properties: properties.length,
    mutants: mutants.length,
    variants: variants.length,
  };
}

function text(exercise: Exercise): string {
  const { id, title, points, cases, hidden, properties, mutants } = row(exercise);
  return `${id.padEnd(34)} ${`${points}`.padStart(2)} points  ${cases} cases (${hidden} hidden)  ${properties} properties  ${mutants} known mistakes  ${title}`;
}

async function prove(
  exercises: readonly Exercise[],
  count: number,
  { backend, json: quiet = false }: Options,
): Promise<void> {
  if (backend === 'cpu') await startJudgeBackend();
  else await startBackend(backend);
  let wrong = 0;
  for (const exercise of exercises) {
    for (let seed = 0; seed < count; seed++) {
      const found = await faults(exercise, `proof-${seed}`);
      wrong += found.length;
      for (const fault of found) console.error(fault);
    }
  }
  if (!quiet) console.log(wrong === 0 ? `Proved on ${count} seeds on ${backend}.` : `${wrong} faults.`);
  if (wrong > 0) process.exitCode = 1;
}

function seeds(given: string): number {
  const value = Number(given);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('expected a whole number above 0');
}
