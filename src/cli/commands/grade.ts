/** `lab grade`: grades a folder of notebooks. */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { gradeAll } from '../../../grader/batch.ts';
import type { SubmissionReport } from '../../../grader/grade.ts';
import { regradeAll } from '../../../grader/regrade.ts';
import type { ReportFormat } from '../../../grader/report/write.ts';
import { isConfinementWarning } from '../../../grader/sandbox/confine.ts';
import { InputError } from '../../errors.ts';
import type { QueuedOptions } from '../../workshop/queue/grade-queued.ts';
import { onStopSignal, STOP_CODES, type StopSignal } from '../jupyter/signals.ts';

interface Options {
  out: string;
  jobs: number;
  timeout: number;
  memory: number;
  only?: string[];
  seed?: string;
  chapter?: string;
  masters?: string;
  resume?: boolean;
  regrade?: boolean;
  queue?: boolean;
  priority?: number;
  format: ReportFormat;
  json?: boolean;
}

export function gradeCommand(): Command {
  return new Command('grade')
    .summary('grade a folder of notebooks, one learner each')
    .description(
      'Grades every submission at a path: a notebook is the submission of the learner it is named after, a folder or zip that of ' +
        'the learner whose name it has. Learners’ code runs in sandboxes; the verdict is found outside of them. Writes index.html, ' +
        'grades.csv, grades.json, junit.xml and a page a learner. Exits with 1 if anything could not be graded.',
    )
    .argument('<source>', 'a folder of submissions, a .zip of one, or a notebook')
    .requiredOption('--out <folder>', 'where the reports go; must be empty, unless --resume')
    .option(
      '--jobs <number>',
      'submissions at a time',
      whole(1, 256),
      Math.max(1, Math.min(availableParallelism(), 8)),
    )
    .option('--timeout <seconds>', 'time for each exercise of a submission', seconds, 20)
    .option('--memory <MiB>', 'memory for a submission', whole(256, 1_048_576), 1024)
    .option('--only <exercises>', 'grade these exercises only, ids with commas between', list)
    .option('--seed <text>', 'fix the inputs that are drawn')
    .option('--chapter <name>', 'the chapter of every submission, for example 03-bert; found out otherwise')
    .option('--resume', 'go on with the run in --out; what is graded already is not graded again')
    .option(
      '--regrade',
      'the source is the reports of an earlier run: judge its recorded answers again with the exercises as they are now',
    )
    .option(
      '--queue',
      'let lab worker grade, on any machines, over the PostgreSQL server of DATABASE_URL; --jobs is each worker’s own',
    )
    .option('--priority <number>', 'with --queue: higher goes first', whole(-1000, 1000))
    .addOption(
      new Option('--format <name>', 'gradescope: also write results.json')
        .choices(['all', 'gradescope'])
        .default('all'),
    )
    .addOption(new Option('--masters <folder>', 'the chapters’ masters of a course of your own').hideHelp())
    .option('--json', 'print the verdicts as JSON')
    .addHelpText('after', '\nExample:\n  npx lab grade submissions/ --out reports/ --jobs 2 --timeout 20')
    .action(grade);
}

async function grade(source: string, options: Options): Promise<void> {
  const { out, timeout, memory, only, seed, chapter, masters } = options;
  refuseInside(source, out);
  const started = Date.now();
  const onReport = (report: SubmissionReport, done: number, total: number): void => {
    if (options.json !== true) console.log(line(report, done, total, Date.now() - started));
  };
  const stopping = new AbortController();
  let stoppedBy: StopSignal | undefined;
  const release = onStopSignal((signal) => {
    stoppedBy = signal;
    stopping.abort();
  });
  try {
    const common = {
      source,
      out,
      timeoutMs: timeout * 1000,
      memoryMb: memory,
      resume: options.resume === true,
      format: options.format,
      ...(only === undefined ? {} : { only }),
      ...(seed === undefined ? {} : { seed }),
      ...(chapter === undefined ? {} : { chapter }),
      onReport,
      signal: stopping.signal,
    };
    const own = masters === undefined ? {} : { masters };
    const reports =
      options.regrade === true
        ? await regradeAll({ source, out, format: options.format, onReport })
        : options.queue === true
          ? await gradeInQueue(common, options)
          : await gradeAll({ ...common, jobs: options.jobs, ...own });
    tell(reports, options);
  } catch (error) {
    if (stoppedBy === undefined) throw error;
    console.error(
      `lab: interrupted; go on with --out ${out} --resume${options.queue === true ? ' --queue' : ''}`,
    );
    process.exitCode = STOP_CODES[stoppedBy];
  } finally {
    release();
  }
}

/** The queue's database is loaded for those alone who have one. */
async function gradeInQueue(
  common: Omit<QueuedOptions, 'url' | 'priority'>,
  { priority, masters }: Options,
): Promise<readonly SubmissionReport[]> {
  if (masters !== undefined)
    throw new InputError('--masters does not go with --queue: workers have the course of the lab');
  const { gradeQueued } = await import('../../workshop/queue/grade-queued.ts');
  const url = process.env.DATABASE_URL;
  return gradeQueued({ ...common, url, ...(priority === undefined ? {} : { priority }) });
}

function tell(reports: readonly SubmissionReport[], { json, out }: Options): void {
  const weak = reports.flatMap(({ notices }) => notices).find(isConfinementWarning);
  if (weak !== undefined) console.error(`lab: ${weak}`);
  if (json === true) {
    const rows = reports.map(({ learner, verdict, score, points }) => ({ learner, verdict, score, points }));
    console.log(JSON.stringify(rows, null, 2));
  } else console.log(`Reports: ${path.join(out, 'index.html')}`);
  if (reports.some(({ verdict }) => verdict === 'error')) process.exitCode = 1;
}

function line(
  { learner, verdict, score, points }: SubmissionReport,
  done: number,
  total: number,
  elapsedMs: number,
): string {
  const left = Math.round(((elapsedMs / done) * (total - done)) / 1000);
  const estimate = done === total ? '' : `  (about ${left} s left)`;
  const name = learner
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '?')
    .slice(0, 40)
    .padEnd(24);
  return `[${done}/${total}] ${name} ${verdict.padEnd(5)} ${score ?? '–'}/${points}${estimate}`;
}

/** Reports in the folder of submissions would be graded as submissions the next time. */
function refuseInside(source: string, out: string): void {
  const relative = path.relative(path.resolve(source), path.resolve(out));
  if (relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative))) {
    throw new InputError(`--out ${out} lies inside ${source}; give a folder outside of it`);
  }
}

function whole(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError('expected a number of seconds above 0');
}

function list(text: string): string[] {
  const ids = text
    .split(',')
    .map((id) => id.trim())
    .filter(Boolean);
  if (ids.length > 0) return ids;
  throw new InvalidArgumentError(
    'expected exercise ids with commas between, for example bert/embeddings,bert/pooler',
  );
}
