/** Reports that programs read: CSV for a mark book, JUnit for CI, results.json for Gradescope. */
import type { ExerciseReport, SubmissionReport } from '../grade.ts';
import type { CheckReport } from '../judgement.ts';
import { isConfinementWarning } from '../sandbox/confine.ts';
import { judgementText, nextStep } from './feedback.ts';

/** RFC 4180; a cell that a spreadsheet would take for a formula is quoted with an apostrophe. */
function csvCell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  // The wide forms too: spreadsheets of East Asia take them for the same signs.
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value;
  // Semicolons and tabs part cells where a spreadsheet takes those for separators.
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One line a submission: learner, file, chapter, verdict, score, points, then a column for every exercise. */
export function gradesCsv(reports: readonly SubmissionReport[]): string {
  const ids = [...new Set(reports.flatMap(({ exercises }) => exercises.map(({ id }) => id)))];
  const rows: (string | number)[][] = [
    ['learner', 'file', 'chapter', 'verdict', 'score', 'points', ...ids, 'mistakes', 'notices'],
  ];
  for (const report of reports) {
    const marks = ids.map((id) => {
      const found = report.exercises.find((exercise) => exercise.id === id);
      return found === undefined ? '' : found.verdict === 'error' ? 'error' : found.score;
    });
    const mistakes = report.exercises.flatMap(({ id, mistake }) =>
      mistake === undefined ? [] : [`${id}: ${mistake.id}`],
    );
    const { learner, file, chapter, verdict, score, points, notices } = report;
    rows.push([
      learner,
      file,
      chapter ?? '',
      verdict,
      score ?? '',
      points,
      ...marks,
      mistakes.join('; '),
      notices.join(' '),
    ]);
  }
  return `${rows.map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;
}

/** XML 1.0 text; characters that XML cannot hold are dropped. */
function xml(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"'\t\n\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** What one check is in JUnit's terms: `failure` was answered wrongly, `error` gave no answer. */
function junitCase(classname: string, check: CheckReport): string {
  const open = `    <testcase classname="${xml(classname)}" name="${xml(check.name)}" time="0"`;
  if (check.status === 'passed') return `${open}/>`;
  const message = xml([check.mistake?.diagnosis, check.message].filter(Boolean).join(' '));
  const tag = check.status === 'wrong' ? 'failure' : check.status === 'skipped' ? 'skipped' : 'error';
  return tag === 'skipped'
    ? `${open}><skipped message="${message}"/></testcase>`
    : `${open}><${tag} message="${message}" type="${check.status}"/></testcase>`;
}

function junitSuite(report: SubmissionReport, exercise: ExerciseReport): string {
  const name = `${report.learner}/${exercise.id}`;
  const cases = exercise.checks.map((check) => junitCase(exercise.id, check));
  if (exercise.problem !== undefined) {
    const tag = exercise.verdict === 'error' ? 'error' : 'failure';
    cases.push(
      `    <testcase classname="${xml(exercise.id)}" name="answer" time="0"><${tag} message="${xml(exercise.problem)}" type="${tag}"/></testcase>`,
    );
  }
  const count = (tag: string): number => cases.filter((line) => line.includes(`<${tag} `)).length;
  const sums = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
  return `  <testsuite name="${xml(name)}" ${sums} time="0">\n${cases.join('\n')}\n  </testsuite>`;
}

/** JUnit XML: a suite an exercise of a submission, a case a check. */
export function junitXml(reports: readonly SubmissionReport[]): string {
  const suites = reports.flatMap((report) =>
    report.exercises.map((exercise) => junitSuite(report, exercise)),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

/** What a learner reads on an exercise without any check. */
export function exerciseText(exercise: ExerciseReport, mode: 'check' | 'grade' = 'grade'): string {
  if (exercise.problem !== undefined) return exercise.problem;
  const judgement = {
    ...exercise,
    verdict: exercise.verdict === 'pass' ? ('pass' as const) : ('fail' as const),
  };
  return exercise.checks.length > 0 ? judgementText(judgement, { mode }) : nextStep(judgement, mode);
}

/** Gradescope's results.json for one learner's submissions: its documented fields, one test an exercise. */
export function gradescopeResults(reports: readonly SubmissionReport[]): object {
  const broken = reports.some(({ verdict }) => verdict === 'error');
  const apology =
    'Some exercises could not be graded; this is not your fault. Ask for the submission to be graded again.';
  const exercises = reports.flatMap((report) => report.exercises);
  // How the sandbox is closed is no news for a learner; `lab grade` prints it where the instructor looks.
  const notices = reports.flatMap((report) => report.notices.filter((one) => !isConfinementWarning(one)));
  return {
    output: [...notices, ...(broken ? [apology] : [])].join('\n'),
    output_format: 'text',
    stdout_visibility: 'hidden',
    visibility: 'visible',
    // Gradescope wants a score or tests; where no chapter could be told there are none.
    ...(exercises.length === 0 ? { score: 0 } : {}),
    tests: exercises.map((exercise, i) => ({
      name: `${exercise.title} (${exercise.id})`,
      number: `${i + 1}`,
      max_score: exercise.points,
      // Where there is no verdict there is no mark and no status: a broken machine fails nobody.
      ...(exercise.verdict === 'error'
        ? {}
        : { score: exercise.score, status: exercise.verdict === 'pass' ? 'passed' : 'failed' }),
      output: exerciseText(exercise),
      output_format: 'text',
      visibility: 'visible',
    })),
  };
}
