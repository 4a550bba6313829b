/** `lab run`: executes notebooks from the command line, with any kernel. */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Command, InvalidArgumentError } from 'commander';
import { InputError } from '../../errors.ts';
import {
  findKernel,
  type KernelClient,
  type Notebook,
  type NotebookRun,
  parseNotebook,
  readNotebook,
  runNotebook,
  writeNotebook,
} from '../../kernel/client/index.ts';
import { KERNEL_NAME } from '../../kernel/info.ts';
import { notebookOf } from '../../notebook/ipynb.ts';
import { loadMaster } from '../../notebook/master.ts';

interface Options {
  kernel?: string;
  timeout: number;
  output?: string;
  inplace?: boolean;
  allowErrors?: boolean;
  json?: boolean;
}

/** A notebook to execute, and the folder its cells run in. */
interface Job {
  name: string;
  /** the file it was read from; none for one made from a chapter's master */
  path?: string;
  notebook: Notebook;
  cwd: string;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('expected a number of seconds above 0');
  return value;
}

export function runCommand(): Command {
  return new Command('run')
    .description('execute notebooks, or the solved form of chapter masters (.ts), and say how it went')
    .argument('<notebook...>', 'notebooks (.ipynb), chapter masters (.ts), or folders of either')
    .option('--kernel <name>', "the kernel; default: the notebook's own, where it is installed")
    .option('--timeout <seconds>', 'what one cell may take', seconds, 600)
    .option('--output <path>', 'save the executed notebook here (a folder for several)')
    .option('--inplace', 'save the outputs into the notebook itself')
    .option('--allow-errors', 'go on after a cell that failed')
    .option('--json', 'print the results as JSON')
    .addHelpText('after', '\nExample:\n  npx lab run notebooks/00-start-here.ipynb --output /tmp/done.ipynb')
    .action(run);
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  if (options.inplace === true && options.output !== undefined) {
    throw new InputError('--inplace and --output exclude each other: one says where the outputs go');
  }
  // everything is read before anything runs: a malformed notebook stops all of it
  const jobs = (await Promise.all(paths.map((path) => jobsOf(resolve(path))))).flat();
  const kernels = jobs.map((job) => kernelFor(job, options));
  const targets = jobs.map((job) => targetOf(job, options, jobs.length));
  let running: KernelClient | undefined;
  const stop = (): void => {
    void running?.shutdown({ now: true }).finally(() => process.exit(130));
    if (!running) process.exit(130);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const reports: unknown[] = [];
  try {
    for (const [index, job] of jobs.entries()) {
      const report = reporter(job.name, options.json !== true);
      const result = await runNotebook(job.notebook, {
        kernel: kernels[index] ?? KERNEL_NAME,
        cwd: job.cwd,
        timeout: options.timeout * 1000,
        allowErrors: options.allowErrors ?? false,
        onKernel: (client) => {
          running = client;
        },
        ...report,
      });
      running = undefined;
      const target = targets[index];
      if (target !== undefined) writeNotebook(target, result.notebook);
      if (options.json !== true) summarize(job.name, result, target);
      reports.push(summaryOf(job.name, result, target));
      if (result.failures.length > 0) process.exitCode = 1;
    }
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
  if (options.json === true) console.log(JSON.stringify(reports, null, 2));
}

async function jobsOf(path: string): Promise<Job[]> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat)
    throw new InputError(`${path} does not exist; expected a notebook, a chapter master or a folder`);
  if (stat.isDirectory()) {
    const names = readdirSync(path).sort();
    const masters = names.filter((name) => name.endsWith('.ts'));
    const chosen = masters.length > 0 ? masters : names.filter((name) => name.endsWith('.ipynb'));
    if (chosen.length === 0)
      throw new InputError(`${path} holds neither notebooks (.ipynb) nor chapter masters (.ts)`);
    return (await Promise.all(chosen.map((name) => jobsOf(join(path, name))))).flat();
  }
  if (extname(path) !== '.ts')
    return [{ name: basename(path), path, notebook: readNotebook(path), cwd: dirname(path) }];
  const solved = notebookOf(await loadMaster(path), { variant: 'solved' });
  const notebook = parseNotebook(JSON.stringify(solved), path);
  // the notebook of notebooks/source/NAME.ts stands in notebooks/
  const folder = dirname(path);
  return [{ name: basename(path), notebook, cwd: basename(folder) === 'source' ? dirname(folder) : folder }];
}

/** The kernel asked for, else the notebook's own; one for TypeScript that is not installed gives way to ours. */
function kernelFor(job: Job, options: Options) {
  const spec = job.notebook.metadata.kernelspec;
  const name = options.kernel ?? spec?.name ?? KERNEL_NAME;
  try {
    return findKernel(name);
  } catch (error) {
    if (options.kernel === undefined && (spec?.language === 'typescript' || spec?.name === 'tslab')) {
      return findKernel(KERNEL_NAME);
    }
    throw error;
  }
}

function targetOf(job: Job, options: Options, count: number): string | undefined {
  if (options.inplace === true) {
    if (job.path === undefined)
      throw new InputError(`${job.name} is a chapter master: --inplace cannot save outputs in it`);
    return job.path;
  }
  if (options.output === undefined) return undefined;
  const output = resolve(options.output);
  const isFolder = statSync(output, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder && count === 1 && extname(output) === '.ipynb') return output;
  if (!isFolder && extname(output) === '.ipynb') {
    throw new InputError(
      `--output ${options.output} is one file, and ${count} notebooks are executed: expected a folder`,
    );
  }
  mkdirSync(output, { recursive: true });
  return join(output, `${basename(job.name, extname(job.name))}.ipynb`);
}

/** Progress: a line that is rewritten on a terminal, a line for each slow or failed cell elsewhere. */
function reporter(name: string, isShown: boolean) {
  const isTerminal = isShown && process.stderr.isTTY;
  const write = (text: string) => process.stderr.write(isTerminal ? `\r\u001b[2K${text}` : `${text}\n`);
  return {
    onCellStart(number: number, total: number) {
      if (isTerminal) write(`${name}: cell ${number} of ${total}`);
    },
    onCellEnd(number: number, total: number, milliseconds: number, failure: { ename: string } | undefined) {
      if (isTerminal && number === total) write('');
      else if (isShown && !isTerminal) {
        const end = failure ? `failed: ${failure.ename}` : 'ok';
        write(`${name}: cell ${number} of ${total}  ${(milliseconds / 1000).toFixed(1)} s  ${end}`);
      }
    },
  };
}

function summarize(name: string, result: NotebookRun, target: string | undefined): void {
  const { failures, codeCells, executed, milliseconds } = result;
  for (const { number, kind, traceback, evalue } of failures) {
    const text = kind === 'timeout' ? evalue : traceback.join('\n');
    console.log(
      `${name}: cell ${number}:\n${process.stdout.isTTY ? text : stripVTControlCharacters(text)}\n`,
    );
  }
  const state = failures.length === 0 ? 'ok' : `${failures.length} failed`;
  const saved = target === undefined ? '' : `, saved in ${target}`;
  console.log(
    `${name}: ${executed} of ${codeCells} cells in ${(milliseconds / 1000).toFixed(1)} s: ${state}${saved}`,
  );
}

function summaryOf(name: string, result: NotebookRun, target: string | undefined): unknown {
  const { failures, codeCells, executed, milliseconds } = result;
  const plain = failures.map((one) => ({ ...one, traceback: one.traceback.map(stripVTControlCharacters) }));
  return {
    notebook: name,
    codeCells,
    executed,
    seconds: milliseconds / 1000,
    failures: plain,
    output: target ?? null,
  };
}
