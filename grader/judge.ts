/**
 * Judging one exercise: cases are drawn from a seed, the reference says what is right, the candidate is asked, and a wrong
 * output is held against what every known mistake would have given on the same inputs.
 */
import { type CaseRun, caseReport, runCase } from './cases.ts';
import type { Case, Exercise } from './define.ts';
import type { Candidate } from './evaluate.ts';
import type { CheckReport, Judgement } from './judgement.ts';
import { nameByProperty, nameMistakes } from './mistakes.ts';
import type { Property } from './properties.ts';
import { checkProperty } from './property-check.ts';
import { NotRecorded } from './recording.ts';

export interface JudgeOptions {
  readonly seed: string;
  /** `public` for a check in a notebook, `all` for a grade. */
  readonly include: 'public' | 'all';
}

/**
 * The judging of one exercise in steps, so that a grader can take all public cases of a notebook before the first hidden one:
 * nothing the learner's code says after it has seen a hidden input may reach the learner.
 */
export class Judging {
  readonly #exercise: Exercise;
  readonly #seed: string;
  readonly #runs: CaseRun[] = [];
  readonly #checks: CheckReport[] = [];
  readonly #cases: readonly Case[];
  /** Whether nothing is hidden: then errors are told in their own words throughout. */
  readonly #open: boolean;
  /** Set once the candidate cannot answer any more. */
  #gone = false;

  constructor(exercise: Exercise, { seed, include }: JudgeOptions) {
    this.#exercise = exercise;
    this.#seed = seed;
    this.#open = include === 'public';
    this.#cases = exercise.cases.filter((c) => include === 'all' || c.visibility === 'public');
  }

  /** Whether the candidate's process ended during a case: no further case is worth its time. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Whether every case until now was passed. */
  get rightSoFar(): boolean {
    return this.#checks.every(({ status }) => status === 'passed');
  }

  /** Runs the cases of one visibility. @throws EnvironmentFault if the reference itself fails. */
  async run(visibility: Case['visibility'], candidate: Candidate): Promise<void> {
    for (const definition of this.#cases.filter((c) => c.visibility === visibility)) {
      if (this.#gone) {
        this.#checks.push(skippedCase(definition));
        continue;
      }
      const run = await runCase(this.#exercise, definition, candidate, this.#seed);
      this.#gone = run.outcome.kind === 'stopped';
      this.#runs.push(run);
      this.#checks.push(caseReport(run));
    }
  }

  /** Skips the hidden cases: there is nobody to ask. */
  skipHidden(): void {
    this.#gone = true;
    for (const definition of this.#cases.filter((c) => c.visibility === 'hidden'))
      this.#checks.push(skippedCase(definition));
  }

  /** Checks the properties, names the mistakes, adds up. */
  async finish(candidate: Candidate): Promise<Judgement> {
    const exercise = this.#exercise;
    const cases = this.#checks;
    const named = cases.some(({ status }) => status === 'wrong' || status === 'threw')
      ? await nameMistakes(exercise, this.#runs)
      : undefined;
    const checks = cases.map((check) => {
      const mistake = check.status === 'wrong' ? named?.byCase.get(check.name) : undefined;
      return mistake === undefined ? check : { ...check, mistake };
    });
    const valuesRight = checks.every((check) => check.status === 'passed');
    for (const definition of exercise.properties) {
      checks.push(await this.#property(definition, candidate, valuesRight));
    }
    const mistake = named?.overall ?? checks.find((check) => check.mistake !== undefined)?.mistake;
    const passed = checks.every((check) => check.status === 'passed');
    return {
      id: exercise.id,
      title: exercise.title,
      points: exercise.points,
      score: passed ? exercise.points : partialScore(exercise.points, checks),
      verdict: passed ? 'pass' : 'fail',
      seed: this.#seed,
      checks,
      ...(mistake === undefined ? {} : { mistake }),
      hiddenRemaining: exercise.cases.length - this.#cases.length,
    };
  }

  async #property(definition: Property, candidate: Candidate, valuesRight: boolean): Promise<CheckReport> {
    const { name, weight = 1 } = definition;
    const base = { name, kind: 'property', visibility: 'public', weight } as const;
    if (!valuesRight) return { ...base, status: 'skipped', message: 'Checked once all values are right.' };
    let message: string | undefined;
    try {
      message = await checkProperty(this.#exercise, definition, candidate, this.#seed, this.#open);
    } catch (error) {
      if (!(error instanceof NotRecorded)) throw error;
      // The first run did not get as far as this property: it counts neither way.
      return { ...base, weight: 0, status: 'passed', message: 'Not recorded in the first run; not counted.' };
    }
    if (message === undefined) return { ...base, status: 'passed' };
    const mistake = await nameByProperty(this.#exercise, definition, this.#seed, message, this.#open);
    return { ...base, status: 'wrong', message, ...(mistake ? { mistake } : {}) };
  }
}

/** Judges a candidate on the exercise in one go. @throws EnvironmentFault if the reference itself or the candidate's machinery fails. */
export async function judge(
  exercise: Exercise,
  candidate: Candidate,
  options: JudgeOptions,
): Promise<Judgement> {
  const judging = new Judging(exercise, options);
  await judging.run('public', candidate);
  await judging.run('hidden', candidate);
  return judging.finish(candidate);
}

/** The share of the weights that passed. Two digits are enough for a mark, and never round up to full marks. */
function partialScore(points: number, checks: readonly CheckReport[]): number {
  const total = checks.reduce((sum, check) => sum + check.weight, 0);
  const earned = checks.reduce((sum, check) => sum + (check.status === 'passed' ? check.weight : 0), 0);
  return Math.floor((points * earned * 100) / total) / 100;
}

function skippedCase({ name, visibility, weight }: Case): CheckReport {
  return {
    name,
    kind: 'case',
    visibility,
    weight,
    status: 'skipped',
    message: 'Not run: the process had ended.',
  };
}
