/** `lab bench`: how fast the backends are, against PyTorch in the same run. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { InputError } from '../../errors.ts';

const BASELINE = fileURLToPath(new URL('../../../bench/backends/baseline.json', import.meta.url));

interface Options {
  backend?: string[];
  python?: string;
  only?: string;
  repeats: string;
  baseline: string;
  updateBaseline?: boolean;
  out?: string;
  json?: boolean;
}

export function benchCommand(): Command {
  return new Command('bench')
    .description(
      'measure training steps, forward passes, decoding and products, beside PyTorch where Python has it',
    )
    .option(
      '--backend <names...>',
      'the backends to measure; all that are here but cpu and webgpu unless given',
    )
    .option('--python <program>', 'a Python with torch and transformers (also LLM_LAB_BENCH_PYTHON)')
    .option('--only <text>', 'only cases whose name contains this, such as gpt2/ or /step')
    .option('--repeats <number>', 'how often each case is timed', '7')
    .option('--baseline <file>', 'ratios to compare with', BASELINE)
    .option('--update-baseline', 'write the ratios into the baseline instead of comparing')
    .option('--out <folder>', 'write bench.json, bench.md and chart.vl.json there')
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      '\nExit code 1: a ratio to PyTorch is more than 30 % worse than the baseline’s.\n\nExample: npx lab bench --only gpt2/ --python .venv/bin/python',
    )
    .action(bench);
}

async function bench(options: Options): Promise<void> {
  const { probeBackends } = await import('../../backends/index.ts');
  const { benchCases } = await import('../../backends/bench/cases.ts');
  const { runBench } = await import('../../backends/bench/run.ts');
  const report = await import('../../backends/bench/report.ts');
  const { parseWith, readJsonObject } = await import('../../checkpoints/json.ts');

  const repeats = Number(options.repeats);
  if (!Number.isInteger(repeats) || repeats < 1) {
    throw new InputError(`--repeats: expected a whole number from 1, got ${options.repeats}`);
  }
  const only = options.only ?? '';
  const cases = benchCases().filter(({ id }) => id.includes(only));
  if (cases.length === 0) throw new InputError(`--only: no case has ${JSON.stringify(only)} in its name`);
  const here = (await probeBackends()).filter(({ available }) => available).map(({ name }) => String(name));
  const backends = options.backend ?? here.filter((name) => name !== 'cpu' && name !== 'webgpu');
  for (const name of backends) {
    if (!here.includes(name)) throw new InputError(`--backend: ${name} is not here, only ${here.join(', ')}`);
  }
  const python = options.python ?? process.env.LLM_LAB_BENCH_PYTHON;
  if (python === undefined)
    console.error('without --python there is no PyTorch to compare with, so no ratios');

  const result = await runBench({ cases, backends, python, repeats, report: (line) => console.error(line) });
  const ratios = report.ratiosOf(result);
  const machine = report.describeMachine();
  const text = [
    `Machine: ${machine}`,
    ...Object.entries(result.peers).map(([name, what]) => `- ${name}: ${what}`),
    `\nMilliseconds: median (least) of ${repeats}, and the median divided by PyTorch’s.\n`,
    report.tableOf(result),
    '\nGPT’s training step: speed, and as a share of the backend’s own matrix product of n = 1024.\n',
    report.fractionsOfPeak(result, cases),
    `\n${report.peakOf(result)}`,
  ].join('\n');
  const document = { machine, repeats, ...result, ratios };
  console.log(options.json === true ? JSON.stringify(document, null, 2) : text);
  if (options.out !== undefined) {
    mkdirSync(options.out, { recursive: true });
    writeFileSync(join(options.out, 'bench.json'), `${JSON.stringify(document, null, 2)}\n`);
    writeFileSync(join(options.out, 'bench.md'), `${text}\n`);
    writeFileSync(join(options.out, 'chart.vl.json'), `${JSON.stringify(report.chartOf(result), null, 2)}\n`);
  }
  if (options.updateBaseline === true) {
    mkdirSync(dirname(options.baseline), { recursive: true });
    writeFileSync(options.baseline, `${JSON.stringify({ machine, ratios }, null, 2)}\n`);
    return;
  }
  if (python === undefined || !existsSync(options.baseline)) return;
  const json = await readJsonObject(options.baseline);
  const worse = report.regressions(ratios, parseWith(report.baselineSchema, json, options.baseline));
  for (const line of worse) console.error(`slower: ${line}`);
  if (worse.length > 0) process.exitCode = 1;
}
