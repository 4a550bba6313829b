/** `lab bench`: how fast the backends are, against PyTorch in the same run. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { BackendProbe } from '../../backends/backend.ts';
import type { BenchCase } from '../../backends/bench/cases.ts';
import { InputError } from '../../errors.ts';

const BASELINE = fileURLToPath(new URL('../../../bench/backends/baseline.json', import.meta.url));

interface Options {
  backend?: string[];
  python?: string;
  only?: string[];
  sweep?: boolean;
  gpu?: boolean;
  threads?: string[];
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
    .option('--only <texts...>', 'only cases whose name contains one of these, such as gpt2/ or decode')
    .option('--sweep', 'also steps of GPT over lengths and widths, drawn beside their operations')
    .option(
      '--gpu',
      'GPT-2 small on a graphics card: webgpu and cuda beside PyTorch on cuda, same GPU, float32',
    )
    .option('--threads <numbers...>', 'measure wasm with each of these numbers of threads')
    .option('--repeats <number>', 'how often each case is timed', '7')
    .option('--baseline <file>', 'ratios to compare with', BASELINE)
    .option('--update-baseline', 'write the ratios into the baseline instead of comparing')
    .option('--out <folder>', 'write bench.json, bench.md and the charts (*.vl.json, *.svg) there')
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      `
Exit code 1: a ratio to PyTorch is more than 30 % worse than the baseline’s.

Example:
  npx lab bench --only gpt2/ decode --python .venv/bin/python
  npx lab bench --sweep --threads 1 2 --python .venv/bin/python --out docs/bench
  npx lab bench --gpu --python .venv/bin/python`,
    )
    .action(bench);
}

/** Whole numbers from 1. @throws InputError naming the option */
function wholeNumbers(option: string, given: readonly string[]): number[] {
  return given.map((text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new InputError(`${option}: expected a whole number from 1, got ${text}`);
  });
}

/** The cases whose names contain one of the texts, and the product that their speed is compared with. */
function chosenCases(all: BenchCase[], only: readonly string[], peak: BenchCase): BenchCase[] {
  const cases = all.filter(({ id }) => only.length === 0 || only.some((text) => id.includes(text)));
  if (cases.length === 0) throw new InputError(`--only: no case has ${only.join(' or ')} in its name`);
  return cases.some(({ id }) => id === peak.id) ? cases : [peak, ...cases];
}

/** The backends that compute on a graphics card here. @throws InputError if there is none */
function gpuBackends(available: readonly BackendProbe[]): string[] {
  // Software that stands in for a driver is no graphics card.
  const found = available.filter(
    ({ name, detail }) =>
      name === 'cuda' || (name === 'webgpu' && !/swiftshader|llvmpipe|lavapipe/i.test(detail)),
  );
  if (found.length > 0) return found.map(({ name }) => name);
  const seen = available.find(({ name }) => name === 'webgpu')?.detail;
  throw new InputError(
    `--gpu: no GPU here${seen === undefined ? '' : `, webgpu runs on ${seen}`}; name the backends with --backend to measure all the same`,
  );
}

/** A table under its sentence, nothing for an empty one. */
function section(sentence: string, table: string): string[] {
  return table === '' ? [] : [`\n${sentence}\n`, table];
}

async function bench(options: Options): Promise<void> {
  const { probeBackends } = await import('../../backends/index.ts');
  const { benchCases, gpuCases, PEAK_CASE } = await import('../../backends/bench/cases.ts');
  const { runBench } = await import('../../backends/bench/run.ts');
  const speed = await import('../../backends/bench/speed.ts');
  const report = await import('../../backends/bench/report.ts');
  const { svgOf } = await import('../../plots/chart.ts');
  const { parseWith, readJsonObject } = await import('../../checkpoints/json.ts');

  const [repeats = 1] = wholeNumbers('--repeats', [options.repeats]);
  const threads = wholeNumbers('--threads', options.threads ?? []);
  const onGpu = options.gpu === true;
  if (onGpu && options.updateBaseline === true)
    throw new InputError('--update-baseline: the baseline is to PyTorch on the processor, so not with --gpu');
  const all = onGpu ? gpuCases() : benchCases({ sweep: options.sweep === true });
  const cases = chosenCases(all, options.only ?? [], PEAK_CASE);
  const probes = (await probeBackends()).filter(({ available }) => available);
  const here = probes.map(({ name }) => String(name));
  const backends =
    options.backend ??
    (onGpu ? gpuBackends(probes) : here.filter((name) => name !== 'cpu' && name !== 'webgpu'));
  for (const name of backends) {
    if (!here.includes(name)) throw new InputError(`--backend: ${name} is not here, only ${here.join(', ')}`);
  }
  const python = options.python ?? process.env.LLM_LAB_BENCH_PYTHON;
  if (python === undefined)
    console.error('without --python there is no PyTorch to compare with, so no ratios');

  const peers = backends.flatMap((backend) => {
    const counts = backend === 'wasm' && threads.length > 0 ? threads : [undefined];
    return counts.map((count) => ({ name: speed.peerName(backend, count), backend, threads: count }));
  });
  const result = await runBench({
    cases,
    peers,
    python,
    pythonDevice: onGpu ? 'cuda' : 'cpu',
    repeats,
    report: (line) => console.error(line),
  });
  const ratios = report.ratiosOf(result);
  const machine = report.describeMachine();
  const decoding = speed.decodingTable(result, cases);
  const scaling = speed.threadsTable(result, threads);
  const text = [
    `Machine: ${machine}`,
    ...Object.entries(result.peers).map(([name, what]) => `- ${name}: ${what}`),
    `\nMilliseconds: median (least) of ${repeats}, and the median divided by PyTorch’s.\n`,
    report.tableOf(result),
    '\nSpeed of the matrix products that each case needs, and as a share of the backend’s own product of n = 1024.\n',
    speed.fractionsOfPeak(result, cases),
    ...section(
      'Decoding, one sequence, with a cache; × is PyTorch’s speed divided by the backend’s.',
      decoding,
    ),
    ...section('Threads.', scaling),
    `\n${report.peakOf(result)}`,
  ].join('\n');
  const charts = speed.sweepCharts(result, cases);
  const document = { machine, repeats, ...result, ratios, sweeps: speed.sweepsOf(result, cases) };
  console.log(options.json === true ? JSON.stringify(document, null, 2) : text);
  if (options.out !== undefined) {
    mkdirSync(options.out, { recursive: true });
    writeFileSync(join(options.out, 'bench.json'), `${JSON.stringify(document, null, 2)}\n`);
    writeFileSync(join(options.out, 'bench.md'), `${text}\n`);
    for (const [name, chart] of Object.entries({ chart: report.chartOf(result), ...charts })) {
      writeFileSync(join(options.out, `${name}.vl.json`), `${JSON.stringify(chart.spec, null, 2)}\n`);
      writeFileSync(join(options.out, `${name}.svg`), await svgOf(chart));
    }
  }
  if (options.updateBaseline === true) {
    mkdirSync(dirname(options.baseline), { recursive: true });
    writeFileSync(options.baseline, `${JSON.stringify({ machine, ratios }, null, 2)}\n`);
    return;
  }
  // The baseline's ratios are to PyTorch on the processor.
  if (python === undefined || onGpu || !existsSync(options.baseline)) return;
  const json = await readJsonObject(options.baseline);
  const worse = report.regressions(ratios, parseWith(report.baselineSchema, json, options.baseline));
  for (const line of worse) console.error(`slower: ${line}`);
  if (worse.length > 0) process.exitCode = 1;
}
