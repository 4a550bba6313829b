/** Grading one submission: every exercise of its chapter, each judged with reference versions of the earlier ones. */
import { createHash } from 'node:crypto';
import { messageOf } from '../src/errors.ts';
import type { Chapter } from './chapter.ts';
import type { Exercise } from './define.ts';
import { EnvironmentFault } from './fault.ts';
import { type GradeContext, SubmissionGrading } from './grading.ts';
import { confinementWarning } from './sandbox/confine.ts';
import { chapterOfSubmission, parseSubmission, type Submission, UnreadableSubmission } from './submission.ts';
import { type ExerciseReport, type SubmissionReport, summarise, unjudged } from './submission-report.ts';
import { ZipError } from './zip.ts';

export type { ExerciseReport, SubmissionReport } from './submission-report.ts';

export interface SubmittedFile {
  readonly learner: string;
  /** As shown in reports. */
  readonly file: string;
  readonly read: () => Promise<Uint8Array>;
}

/** The seed of one learner's inputs: fixed by the run's seed and the name, whatever the order of grading. */
export function seedOf(runSeed: string, learner: string): string {
  return createHash('sha256').update(`${runSeed}\n${learner}`).digest('hex').slice(0, 16);
}

/** Grades a submission. Never throws for what a learner handed in or for a broken machine: both are in the report. */
export async function gradeSubmission(
  submitted: SubmittedFile,
  runSeed: string,
  context: GradeContext,
): Promise<SubmissionReport> {
  const { learner, file } = submitted;
  const seed = seedOf(runSeed, learner);
  let submission: Submission;
  try {
    submission = parseSubmission(await submitted.read());
  } catch (error) {
    const chapter = context.chapter ?? context.fallback;
    // What was handed in is at fault, and grading it again would not help.
    const theirs = error instanceof UnreadableSubmission || error instanceof ZipError;
    const why = `${file} could not be graded: ${messageOf(error)}.`;
    return summarise(
      { learner, file, seed, chapter: chapter?.name ?? null, notices: [why] },
      unreadable(chapter, context, seed, theirs ? 'fail' : 'error'),
    );
  }
  const chapter = context.chapter ?? chapterOfSubmission(submission, context.chapters);
  if (chapter === undefined) {
    const why = `${file} holds no answer cell of any chapter of this course.`;
    return summarise({ learner, file, seed, chapter: null, notices: [why] }, []);
  }
  const warning = confinementWarning(context.pool.confinement);
  const notices = warning === undefined ? [] : [warning];
  const grading = new SubmissionGrading(submission, chapter, seed, context);
  try {
    const exercises = await grading.grade(exercisesOf(chapter, context));
    const said = [...notices, ...grading.notices];
    return summarise({ learner, file, seed, chapter: chapter.name, notices: said }, exercises);
  } finally {
    await grading.end();
  }
}

function exercisesOf(chapter: Chapter, context: GradeContext): Exercise[] {
  return chapter.answers
    .filter(({ exercise }) => context.only === undefined || context.only.has(exercise))
    .map(({ exercise: id }) => {
      const exercise = context.exercises.get(id);
      if (exercise === undefined)
        throw new EnvironmentFault(`the chapter ${chapter.name} asks for ${id}, which no file defines`);
      return exercise;
    });
}

function unreadable(
  chapter: Chapter | undefined,
  context: GradeContext,
  seed: string,
  verdict: 'fail' | 'error',
): ExerciseReport[] {
  if (chapter === undefined) return [];
  return exercisesOf(chapter, context).map((exercise) =>
    unjudged(exercise, seed, verdict, 'The notebook could not be read.'),
  );
}
