/** `lab check`: the public cases of one notebook, before it is handed in. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { startJudgeBackend } from '../../../grader/backend.ts';
import { loadCourse } from '../../../grader/batch.ts';
import { type ExerciseReport, gradeSubmission, type SubmissionReport } from '../../../grader/grade.ts';
import { githubAnnotations, githubSummary } from '../../../grader/report/github.ts';
import { exerciseText, junitXml } from '../../../grader/report/tables.ts';
import { bestConfinement } from '../../../grader/sandbox/confine.ts';
import { SandboxPool } from '../../../grader/sandbox/pool.ts';
import { parseSubmission, UnreadableSubmission } from '../../../grader/submission.ts';
import { InputError, messageOf } from '../../errors.ts';

interface Options {
  only?: string;
  timeout: string;
  masters?: string;
  github?: string;
  json?: boolean;
}

export function checkCommand(): Command {
  return new Command('check')
    .summary('run the public cases of a notebook before it is handed in')
    .description(
      'Runs the answer cells of a notebook against the public cases, as the grader will. Hidden cases remain for the grader. ' +
        'Exits with 1 if anything is wrong or not written yet.',
    )
    .argument('<notebook>', 'the notebook (.ipynb)')
    .option('--only <exercises>', 'check these exercises only, ids with commas between')
    .option('--timeout <seconds>', 'time for each exercise', '20')
    .option('--masters <folder>', 'the chapters’ masters of a course of your own')
    .option(
      '--github <folder>',
      'in a GitHub workflow: also annotations, the summary of the job, and JUnit XML in this folder',
    )
    .option('--json', 'print the report as JSON')
    .addHelpText('after', '\nExample:\n  npx lab check notebooks/03-bert.ipynb --only bert/pooler')
    .action(check);
}

async function check(file: string, options: Options): Promise<void> {
  const timeout = Number(options.timeout);
  if (!(timeout > 0))
    throw new InputError(`--timeout ${options.timeout}: expected a number of seconds above 0`);
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new InputError(`${file} cannot be read: ${messageOf(error)}`);
  });
  try {
    parseSubmission(bytes);
  } catch (error) {
    if (error instanceof UnreadableSubmission) throw new InputError(`${file}: ${error.message}`);
    throw error;
  }
  const [chapters, exercises] = await loadCourse(options.masters);
  const only = options.only?.split(',').map((id) => id.trim());
  const unknown = only?.find((id) => !exercises.has(id));
  if (unknown !== undefined)
    throw new InputError(`--only names '${unknown}', which is no exercise; lab exercises lists them`);
  await startJudgeBackend();
  const pool = new SandboxPool({ confinement: await bestConfinement(), memoryMb: 2048 }, 0);
  try {
    const report = await gradeSubmission(
      { learner: path.basename(file, '.ipynb'), file, read: async () => bytes },
      'check',
      {
        chapters,
        exercises,
        pool,
        timeoutMs: timeout * 1000,
        include: 'public',
        ...(only === undefined ? {} : { only: new Set(only) }),
      },
    );
    if (report.chapter === null)
      throw new InputError(`${file}: holds no answer cell of any chapter of this course`);
    const shown = options.json === true ? JSON.stringify(report, null, 2) : text(report);
    if (options.github === undefined) console.log(shown);
    else tellGithub(report, file, shown, options.github);
    if (report.verdict !== 'pass') process.exitCode = 1;
  } finally {
    await pool.close();
  }
}

/** What a learner's code said is on the screen too: between these commands no line of it is taken for a command. */
function tellGithub(report: SubmissionReport, file: string, shown: string, folder: string): void {
  const end = randomUUID();
  console.log(
    [`::stop-commands::${end}`, shown, `::${end}::`, ...githubAnnotations(report, file)].join('\n'),
  );
  const { GITHUB_STEP_SUMMARY, GITHUB_OUTPUT } = process.env;
  if (GITHUB_STEP_SUMMARY) appendFileSync(GITHUB_STEP_SUMMARY, githubSummary(report));
  if (GITHUB_OUTPUT && report.score !== null)
    appendFileSync(GITHUB_OUTPUT, `points=${report.score}\nmax-points=${report.points}\n`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${report.chapter ?? report.learner}.xml`), junitXml([report]));
}

function text(report: SubmissionReport): string {
  const lines = report.exercises.map((one) =>
    one.problem === undefined ? exerciseText(one, 'check') : problemText(one),
  );
  const right = report.exercises.filter(({ verdict }) => verdict === 'pass').length;
  const hidden = report.exercises.reduce((sum, { hiddenRemaining }) => sum + hiddenRemaining, 0);
  lines.push(
    `${right} of ${report.exercises.length} exercises pass their public cases. ` +
      `${hidden} hidden cases, with other sizes and values, remain and are run when you hand in.`,
  );
  return lines.join('\n');
}

const problemText = ({ id, title, problem }: ExerciseReport): string => `✗ ${title} (${id})\n    ${problem}`;
