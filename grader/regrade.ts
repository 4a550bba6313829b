/** Judging an earlier run again, from what was recorded: no learner's code runs. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { InputError, messageOf } from '../src/errors.ts';
import { startJudgeBackend } from './backend.ts';
import type { Exercise } from './define.ts';
import { allExercises } from './discover.ts';
import type { ExerciseReport, SubmissionReport } from './grade.ts';
import { JOURNAL, Journal } from './journal.ts';
import { Judging } from './judge.ts';
import { Tape } from './recording.ts';
import { type ReportFormat, writeLearner, writeSummary } from './report/write.ts';
import { summarise } from './submission-report.ts';

export interface RegradeOptions {
  /** The reports of the earlier run. */
  readonly source: string;
  readonly out: string;
  readonly format: ReportFormat;
  readonly onReport?: (report: SubmissionReport, done: number, total: number) => void;
}

/** Judges every recorded answer with the exercises as they are now. @throws InputError if there is no earlier run or `out` is not empty */
export async function regradeAll({
  source,
  out,
  format,
  onReport,
}: RegradeOptions): Promise<readonly SubmissionReport[]> {
  const journal = Journal.open(path.join(source, JOURNAL));
  const before = journal.reports();
  journal.close();
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new InputError(`${out} is not empty; give another folder for --out`);
  const exercises = new Map((await allExercises()).map((exercise) => [exercise.id, exercise]));
  await startJudgeBackend();
  mkdirSync(out, { recursive: true });
  const reports: SubmissionReport[] = [];
  for (const report of before) {
    const fresh = await regrade(report, Tape.load(source, report.learner), exercises);
    writeLearner(out, fresh, exercises, format);
    reports.push(fresh);
    onReport?.(fresh, reports.length, before.length);
  }
  writeSummary(out, reports, format);
  return reports;
}

async function regrade(
  report: SubmissionReport,
  tape: Tape,
  exercises: ReadonlyMap<string, Exercise>,
): Promise<SubmissionReport> {
  const judged: ExerciseReport[] = [];
  for (const one of report.exercises) {
    const exercise = exercises.get(one.id);
    judged.push(
      exercise === undefined || one.problem !== undefined
        ? { ...one, points: exercise?.points ?? one.points }
        : await judgeAgain(one, exercise, tape),
    );
  }
  return summarise(report, judged);
}

async function judgeAgain(report: ExerciseReport, exercise: Exercise, tape: Tape): Promise<ExerciseReport> {
  const judging = new Judging(exercise, { seed: report.seed, include: 'all' });
  const candidate = tape.replaying(exercise.id);
  try {
    await judging.run('public', candidate);
    await judging.run('hidden', candidate);
    return await judging.finish(candidate);
  } catch (error) {
    const problem = `This could not be judged again: ${messageOf(error)}.`;
    return { ...report, points: exercise.points, score: 0, verdict: 'error', checks: [], problem };
  }
}
