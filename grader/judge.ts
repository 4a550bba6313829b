/**
 * Judging one exercise: cases are drawn from a seed, the reference says what is right, the candidate is asked, and a wrong
 * output is held against what every known mistake would have given on the same inputs.
 */
import * as tf from '@tensorflow/tfjs-core';
import { compare, type Difference, numberText } from './compare.ts';
import type { Case, Exercise, Implementation } from './define.ts';
import { type DescribeContext, describe, differenceText, discreetText } from './describe.ts';
import { createDraw } from './draw.ts';
import { type Candidate, localCandidate, type Outcome } from './evaluate.ts';
import { type Picture, pictureOf } from './picture.ts';
import { type Probe, type Property, PropertyFailure } from './properties.ts';
import { nameOf, readValue, type Value } from './values.ts';

/** A named mistake. */
export interface Mistake {
  readonly id: string;
  readonly diagnosis: string;
}

/** How a check ended: `wrong` gave a wrong result, `threw`, `timeout` and `died` gave none, `skipped` was not run. */
export type Status = 'passed' | 'wrong' | 'threw' | 'timeout' | 'died' | 'skipped';

/** One case or property. */
export interface CheckReport {
  readonly name: string;
  readonly kind: 'case' | 'property';
  readonly visibility: 'public' | 'hidden';
  readonly weight: number;
  readonly status: Status;
  /** What happened, in a sentence; says no number of a hidden case. */
  readonly message?: string;
  /** What else is known of the difference, a sentence each. */
  readonly findings?: readonly string[];
  /** Of public cases only. */
  readonly details?: {
    readonly inputs: readonly string[];
    readonly expected: string;
    readonly got: string;
    readonly first?: string;
    readonly worst?: string;
    readonly tolerance: string;
    readonly picture?: Picture;
  };
  /** The known mistake whose output this is. */
  readonly mistake?: Mistake;
}

export interface Judgement {
  readonly id: string;
  readonly title: string;
  readonly points: number;
  readonly score: number;
  readonly verdict: 'pass' | 'fail';
  readonly seed: string;
  readonly checks: readonly CheckReport[];
  /** The known mistake that explains all of the answers, or failing that the first wrong one. */
  readonly mistake?: Mistake;
  /** How many hidden checks there are that were not run (in `check`). */
  readonly hiddenRemaining: number;
}

/** The grader's own failure: a reference that throws, a sandbox that cannot start. Never the learner's fault, never a zero. */
export class EnvironmentFault extends Error {
  override readonly name = 'EnvironmentFault';
}

export interface JudgeOptions {
  readonly seed: string;
  /** `public` for a check in a notebook, `all` for a grade. */
  readonly include: 'public' | 'all';
}

/** What one case gave, kept until the mistake is named. */
interface CaseRun {
  readonly definition: Case;
  readonly args: readonly Value[];
  readonly expected: Value;
  readonly outcome: Outcome;
  readonly difference: Difference | undefined;
  readonly context: DescribeContext;
}

/**
 * Judges a candidate on the exercise. Public cases run first: nothing the candidate says after it has seen a hidden
 * input reaches the learner.
 * @throws EnvironmentFault if the reference itself fails or the candidate's machinery does.
 */
export async function judge(
  exercise: Exercise,
  candidate: Candidate,
  options: JudgeOptions,
): Promise<Judgement> {
  const wanted = exercise.cases.filter((c) => options.include === 'all' || c.visibility === 'public');
  const ordered = [
    ...wanted.filter((c) => c.visibility === 'public'),
    ...wanted.filter((c) => c.visibility === 'hidden'),
  ];
  const runs: CaseRun[] = [];
  const checks: CheckReport[] = [];
  let gone = false;
  for (const definition of ordered) {
    if (gone) {
      checks.push(
        skipped(
          'case',
          definition.name,
          definition.visibility,
          definition.weight,
          'Not run: the process had ended.',
        ),
      );
      continue;
    }
    const run = await runCase(exercise, definition, candidate, options.seed);
    gone = run.outcome.kind === 'stopped';
    runs.push(run);
    checks.push(caseReport(run));
  }
  const wrong = runs.filter((run) => run.outcome.kind === 'returned' && run.difference !== undefined);
  const named = wrong.length > 0 ? await nameMistakes(exercise, runs) : undefined;
  const reported = checks.map((check) => {
    const mistake =
      check.kind === 'case' && check.status === 'wrong' ? named?.byCase.get(check.name) : undefined;
    return mistake === undefined ? check : { ...check, mistake };
  });
  const valuesRight = checks.every((check) => check.status === 'passed');
  for (const definition of exercise.properties) {
    reported.push(await propertyReport(exercise, definition, candidate, options.seed, valuesRight));
  }
  const mistake = named?.overall ?? reported.find((check) => check.mistake !== undefined)?.mistake;
  const total = reported.reduce((sum, check) => sum + check.weight, 0);
  const earned = reported.reduce((sum, check) => sum + (check.status === 'passed' ? check.weight : 0), 0);
  const passed = reported.every((check) => check.status === 'passed');
  return {
    id: exercise.id,
    title: exercise.title,
    points: exercise.points,
    // Two digits are enough for a mark, and never round up to full marks.
    score: passed ? exercise.points : Math.floor((exercise.points * earned * 100) / total) / 100,
    verdict: passed ? 'pass' : 'fail',
    seed: options.seed,
    checks: reported,
    ...(mistake === undefined ? {} : { mistake }),
    hiddenRemaining: exercise.cases.length - wanted.length,
  };
}

/** The arguments of a case, drawn from the seed. */
export async function drawInputs(
  definition: Case,
  seed: string,
): Promise<{ args: Value[]; context: DescribeContext }> {
  const engine = tf.engine();
  engine.startScope('inputs');
  try {
    const live = definition.inputs(createDraw(`${seed}/${definition.name}`));
    const padding = definition.padding?.(live);
    const args: Value[] = [];
    for (const [i, arg] of live.entries()) args.push(await readValue(arg, `argument ${i}`));
    const mask = padding === undefined ? undefined : await readValue(padding, 'padding');
    return { args, context: mask?.kind === 'tensor' ? { padding: mask } : {} };
  } finally {
    engine.endScope();
  }
}

async function expectedOf(exercise: Exercise, args: readonly Value[]): Promise<Value> {
  const outcome = await localCandidate(exercise.reference).call(args);
  if (outcome.kind === 'returned') return outcome.value;
  throw new EnvironmentFault(`the reference of ${exercise.id} failed: ${outcome.message}`);
}

async function runCase(
  exercise: Exercise,
  definition: Case,
  candidate: Candidate,
  seed: string,
): Promise<CaseRun> {
  const { args, context } = await drawInputs(definition, seed);
  const expected = await expectedOf(exercise, args);
  const outcome = await candidate.call(args);
  const difference =
    outcome.kind === 'returned' ? compare(expected, outcome.value, definition.tolerance) : undefined;
  return { definition, args, expected, outcome, difference, context };
}

function skipped(
  kind: CheckReport['kind'],
  name: string,
  visibility: CheckReport['visibility'],
  weight: number,
  message: string,
): CheckReport {
  return { name, kind, visibility, weight, status: 'skipped', message };
}

function caseReport({ definition, args, expected, outcome, difference, context }: CaseRun): CheckReport {
  const { name, visibility, weight, tolerance } = definition;
  const open = visibility === 'public';
  const base = { name, kind: 'case', visibility, weight } as const;
  if (outcome.kind === 'stopped') {
    return { ...base, status: outcome.cause === 'timeout' ? 'timeout' : 'died', message: outcome.message };
  }
  if (outcome.kind === 'threw') {
    const message = open
      ? `Your function threw an error: ${outcome.message}`
      : 'Your function threw an error on a hidden case. Try it on inputs of other sizes than the public ones.';
    return { ...base, status: 'threw', message };
  }
  if (difference === undefined) return { ...base, status: 'passed' };
  const findings = describe(expected, outcome.value, tolerance, context);
  if (!open) {
    // A factor or a shift is a number of the outputs: of hidden cases only what is said without numbers is told.
    const discreet = findings.filter((finding) => !/\d/.test(finding));
    return { ...base, status: 'wrong', message: discreetText(difference), findings: discreet };
  }
  const picture = pictureOf(expected, outcome.value, difference, tolerance);
  return {
    ...base,
    status: 'wrong',
    message: differenceText(difference),
    findings,
    details: {
      inputs: args.map(nameOf),
      expected: nameOf(expected),
      got: nameOf(outcome.value),
      ...(difference.kind === 'elements'
        ? { first: elementText(difference.first), worst: elementText(difference.worst) }
        : {}),
      tolerance: `±${tolerance.absolute} ± ${tolerance.relative}·|expected| (${tolerance.reason})`,
      ...(picture === undefined ? {} : { picture }),
    },
  };
}

const elementText = (element: { index: readonly number[]; expected: number; got: number }): string =>
  `[${element.index.join(', ')}] expected ${numberText(element.expected)}, got ${numberText(element.got)}`;

interface Named {
  readonly overall?: Mistake;
  readonly byCase: ReadonlyMap<string, Mistake>;
}

/**
 * Finds the known mistakes behind the outputs. One that gives the candidate's output on every case explains all; else each wrong
 * case takes the first mistake that gives exactly its output. A mistake that is right on a case explains nothing there.
 */
async function nameMistakes(exercise: Exercise, runs: readonly CaseRun[]): Promise<Named> {
  const byCase = new Map<string, Mistake>();
  let overall: Mistake | undefined;
  for (const mutant of exercise.mutants) {
    const local = localCandidate(mutant);
    const mistake = { id: mutant.id, diagnosis: mutant.diagnosis };
    let everywhere = true;
    for (const { definition, args, outcome, difference } of runs) {
      const imitation = await local.call(args);
      const same =
        imitation.kind === 'returned' &&
        outcome.kind === 'returned' &&
        compare(imitation.value, outcome.value, definition.tolerance) === undefined;
      if (!same) everywhere = false;
      else if (difference !== undefined && !byCase.has(definition.name)) byCase.set(definition.name, mistake);
    }
    if (everywhere) overall ??= mistake;
  }
  if (overall === undefined) return { byCase };
  const all = overall;
  // The one that explains everything is named everywhere.
  for (const { definition, difference } of runs)
    if (difference !== undefined) byCase.set(definition.name, all);
  return { overall, byCase };
}

async function propertyReport(
  exercise: Exercise,
  definition: Property,
  candidate: Candidate,
  seed: string,
  valuesRight: boolean,
): Promise<CheckReport> {
  const weight = definition.weight ?? 1;
  const { name } = definition;
  if (!valuesRight) return skipped('property', name, 'public', weight, 'Checked once all values are right.');
  const message = await checkProperty(exercise, definition, candidate, seed);
  if (message === undefined)
    return { name, kind: 'property', visibility: 'public', weight, status: 'passed' };
  const mistake = await nameByProperty(exercise, definition, seed, message);
  return {
    name,
    kind: 'property',
    visibility: 'public',
    weight,
    status: 'wrong',
    message,
    ...(mistake ? { mistake } : {}),
  };
}

async function checkProperty(
  exercise: Exercise,
  definition: Property,
  candidate: Candidate,
  seed: string,
): Promise<string | undefined> {
  const on = exercise.cases.find((c) =>
    definition.on === undefined ? c.visibility === 'public' : c.name === definition.on,
  );
  if (on === undefined)
    throw new EnvironmentFault(`${exercise.id}: property '${definition.name}' names no case`);
  const label = `${seed}/property/${definition.name}`;
  const { args } = await drawInputs(on, label);
  const returned = async (pending: Promise<Outcome>): Promise<Outcome & { kind: 'returned' }> => {
    const outcome = await pending;
    if (outcome.kind === 'returned') return outcome;
    throw new PropertyFailure(
      outcome.kind === 'threw'
        ? `Your function threw an error when “${definition.name}” was checked.`
        : outcome.message,
    );
  };
  const probe: Probe = {
    args,
    parameters: exercise.parameters,
    draw: createDraw(`${label}/draw`),
    seed: label,
    tolerance: on.tolerance,
    call: (given) => returned(candidate.call(given)),
    gradients: async (given) =>
      (await returned(candidate.gradients(given, exercise.parameters, label))).value,
    expectedGradients: async (given) => {
      const outcome = await localCandidate(exercise.reference).gradients(given, exercise.parameters, label);
      if (outcome.kind === 'returned') return outcome.value;
      throw new EnvironmentFault(`the reference of ${exercise.id} has no gradient: ${outcome.message}`);
    },
  };
  try {
    return await definition.check(probe);
  } catch (error) {
    if (error instanceof PropertyFailure) return error.message;
    throw error;
  }
}

/** A mistake that leaves all values right shows in a property: the first known one that fails it with the same words. */
async function nameByProperty(
  exercise: Exercise,
  definition: Property,
  seed: string,
  message: string,
): Promise<Mistake | undefined> {
  for (const mutant of exercise.mutants) {
    if (!(await valuesAreRight(exercise, mutant, seed))) continue;
    if ((await checkProperty(exercise, definition, localCandidate(mutant), seed)) === message) {
      return { id: mutant.id, diagnosis: mutant.diagnosis };
    }
  }
  return undefined;
}

async function valuesAreRight(
  exercise: Exercise,
  implementation: Implementation,
  seed: string,
): Promise<boolean> {
  for (const definition of exercise.cases) {
    const run = await runCase(exercise, definition, localCandidate(implementation), seed);
    if (run.outcome.kind !== 'returned' || run.difference !== undefined) return false;
  }
  return true;
}
