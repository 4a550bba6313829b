/** `lab test`: everything that says whether the lab works, with its own set-up. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { messageOf } from '../../errors.ts';
import { installKernel } from '../../kernel/install.ts';
import { ensureJupyter } from '../jupyter/environment.ts';
import { ROOT, VENV } from '../jupyter/paths.ts';
import { type RunResult, run } from '../jupyter/run.ts';
import { SetupError } from '../jupyter/setup-error.ts';
import { onStopSignal, STOP_CODES, type StopSignal } from '../jupyter/signals.ts';
import { closingLine, SUMMARY_FILE, type Summary, summarySchema } from '../testing/summary.ts';
import { installSystemPackages } from '../testing/system-packages.ts';

interface TestOptions {
  readonly systemPackages?: boolean;
}

export function testCommand(): Command {
  return new Command('test')
    .summary('set up everything and run all tests of the lab')
    .description(
      'Sets up what the tests need, checks types and style, runs all tests and ends with a line that counts them. ' +
        'With a filter, only the test files whose path contains it run, without the checks.',
    )
    .argument('[filter...]', 'parts of paths of test files')
    .option(
      '--system-packages',
      'let apt-get install what some tests want (chromium, bubblewrap, postgresql and the like) if it is missing (as root)',
    )
    .addHelpText('after', '\nExample: npm test\n         npm test -- tests/cli')
    .action(test);
}

async function test(filters: readonly string[], { systemPackages = false }: TestOptions): Promise<void> {
  const stopping = new AbortController();
  let stoppedBy: StopSignal | undefined;
  const release = onStopSignal((signal) => {
    stoppedBy = signal;
    stopping.abort();
  });
  try {
    await prepare(systemPackages, stopping.signal);
    const checks =
      filters.length === 0 ? [await typeCheck(stopping.signal), await lint(stopping.signal)] : [];
    const summary = await vitest(filters, stopping.signal);
    for (const passed of checks) summary[passed ? 'passed' : 'failed']++;
    console.log(['', ...skips(summary), closingLine(summary)].join('\n'));
    process.exitCode = summary.failed > 0 ? 1 : 0;
  } catch (error) {
    if (!stoppedBy) throw error;
    console.error('\nlab: interrupted.');
    process.exitCode = STOP_CODES[stoppedBy];
  } finally {
    release();
  }
}

/** What only some tests need may be missing: they say themselves that they were skipped. */
async function prepare(systemPackages: boolean, signal: AbortSignal): Promise<void> {
  await installSystemPackages(systemPackages, signal);
  try {
    await ensureJupyter(signal);
    installKernel({ prefix: VENV });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`lab: the tests in JupyterLab are skipped: ${messageOf(error)}`);
  }
}

/** The pages of workshops apart: they run in a browser, where other names are known. */
async function typeCheck(signal: AbortSignal): Promise<boolean> {
  const tsc = ['node_modules/typescript/bin/tsc', '--noEmit'];
  const lab = await check('Types', tsc, signal);
  return (await check('Types of pages', [...tsc, '-p', 'src/workshop/pages'], signal)) && lab;
}

function lint(signal: AbortSignal): Promise<boolean> {
  return check('Style', ['node_modules/@biomejs/biome/bin/biome', 'check', '.'], signal);
}

async function check(label: string, command: readonly string[], signal: AbortSignal): Promise<boolean> {
  console.log(`${label} ...`);
  const began = performance.now();
  const passed = (await runNode(command, signal)).code === 0;
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${label}: ${passed ? 'passed' : 'FAILED'} (${seconds} s)`);
  return passed;
}

async function vitest(filters: readonly string[], signal: AbortSignal): Promise<Summary> {
  const folder = mkdtempSync(join(tmpdir(), 'llm-lab-test-'));
  const file = join(folder, 'summary.json');
  const reporter = fileURLToPath(new URL('../testing/summary-reporter.ts', import.meta.url));
  const command = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    `--reporter=${reporter}`,
    ...filters,
  ];
  try {
    const { code } = await runNode(command, signal, { [SUMMARY_FILE]: file });
    const summary = readSummary(file);
    // Vitest may also fail without naming a test, when it crashes or finds no file for the filter.
    if (code !== 0 && summary.failed === 0) summary.failed = 1;
    return summary;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readSummary(file: string): Summary {
  try {
    return summarySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
}

function skips({ skipped }: Summary): string[] {
  if (skipped.length === 0) return [];
  return ['Skipped:', ...skipped.map(({ name, reason }) => `  ${name}: ${reason}`)];
}

function runNode(
  command: readonly string[],
  signal: AbortSignal,
  env: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  // Files and pipes get plain text: some tools paint regardless.
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: undefined };
  return run([process.execPath, ...command], {
    signal,
    env: { ...plain, ...env },
    cwd: ROOT,
    terminal: true,
  });
}
