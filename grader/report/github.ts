/** A check's report for GitHub Actions: annotations beside the run, a table on its page. Of public cases only. */
import type { ExerciseReport, SubmissionReport } from '../grade.ts';
import { escapeHtml } from './feedback.ts';
import { exerciseText } from './tables.ts';

/** What is said of an exercise without a verdict: no fault of the learner's. */
const BROKEN = 'It could not be checked; this is not your fault. Run the workflow again.';

/** The text of a workflow command, whose end is the end of its line. */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/**
 * Workflow commands, a line each: an error for every exercise that does not pass, and the points. Titles and text of the points
 * are those that GitHub Classroom's reporter writes, which tools for mark books look for.
 */
export function githubAnnotations(report: SubmissionReport, file: string): string[] {
  const wrong = report.exercises.filter(({ verdict }) => verdict !== 'pass');
  const errors = wrong.map(
    (one) => `::error file=${property(file)},title=${property(titleOf(one))}::${data(reasonOf(one))}`,
  );
  if (report.score === null) return errors;
  const totals = { totalPoints: report.score, maxPoints: report.points };
  return [
    ...errors,
    `::notice title=Autograding complete::Points ${report.score}/${report.points}`,
    `::notice title=Autograding report::${data(JSON.stringify(totals))}`,
  ];
}

/** A section of the job's summary, in Markdown. Learners' own text stands in it as text. */
export function githubSummary(report: SubmissionReport): string {
  const points = report.score === null ? 'no mark' : `${report.score} of ${report.points} points`;
  const hidden = report.exercises.reduce((sum, { hiddenRemaining }) => sum + hiddenRemaining, 0);
  const rows = report.exercises.map(
    (one) =>
      `| ${MARKS[one.verdict]} | ${cell(titleOf(one))} | ${one.verdict === 'error' ? '–' : one.score} / ${one.points} |`,
  );
  const details = report.exercises
    .filter(({ verdict }) => verdict !== 'pass')
    .map(
      (one) =>
        `<details><summary>${escapeHtml(titleOf(one))}</summary>\n\n<pre>${preformatted(textOf(one))}</pre>\n</details>`,
    );
  return [
    `## ${cell(report.chapter ?? report.learner)}: ${points} on public cases`,
    '',
    '| | Exercise | Points |',
    '|---|---|---|',
    ...rows,
    '',
    ...details,
    '',
    `${hidden} hidden cases, with other sizes and values, are run when the instructor grades; the mark is found then.`,
    '',
  ].join('\n');
}

const MARKS: Readonly<Record<ExerciseReport['verdict'], string>> = { pass: '✅', fail: '❌', error: '⚠️' };

const titleOf = ({ title, id }: ExerciseReport): string => `${title} (${id})`;

function textOf(exercise: ExerciseReport): string {
  return exercise.verdict === 'error'
    ? `${exercise.problem ?? ''} ${BROKEN}`.trim()
    : exerciseText(exercise, 'check');
}

/** The diagnosis if there is one, else what the first wrong case says. */
function reasonOf(exercise: ExerciseReport): string {
  if (exercise.verdict === 'error') return textOf(exercise);
  const wrong = exercise.checks.find(({ status }) => status !== 'passed' && status !== 'skipped');
  return exercise.mistake?.diagnosis ?? wrong?.message ?? exercise.problem ?? 'It does not pass.';
}

const cell = (text: string): string =>
  escapeHtml(text)
    .replaceAll('|', '&#124;')
    .replace(/[\r\n]+/g, ' ');

/** An empty line would end the HTML, and what follows would be read as Markdown. */
const preformatted = (text: string): string => escapeHtml(text).replace(/\r\n|\r|\n/g, '<br>');
