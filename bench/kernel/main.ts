/**
 * `npm run bench:kernel`: this kernel beside the stock `tslab`, ipykernel and Deno, in the same minutes on the same
 * machine, taking turns. Kernels that are not there are named as missing. With `--write`, the table goes to
 * docs/kernel-speed.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type KernelClient, type KernelSpec, startKernel } from '../../src/kernel/client/index.ts';
import { kernelSpec } from '../../src/kernel/index.ts';
import { treeMemory } from './memory.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A kernel to measure, and how its language says what is measured. */
interface Contender {
  spec: KernelSpec;
  define: (i: number) => string;
  importLibrary?: string;
}

/** Milliseconds, and megabytes of memory. */
interface Figures {
  ready: number[];
  first: number[];
  steady: number[];
  define: number[];
  defineLate: number[];
  importLibrary: number[];
  memory: number[];
}

const spec = (name: string, argv: string[]): KernelSpec => ({
  name,
  argv,
  display_name: name,
  language: name,
  interrupt_mode: 'signal',
  env: {},
});

const typescript = (i: number) =>
  `const value${i} = ${i}; function double${i}(x: number) { return 2 * x + value${i}; }`;

function contenders(): { found: Contender[]; missing: string[] } {
  const found: Contender[] = [];
  const missing: string[] = [];
  const own = kernelSpec().argv;
  found.push({
    spec: spec('llm-lab', Array.isArray(own) ? own.map(String) : []),
    define: typescript,
    importLibrary: 'import * as lab from "llm-lab";',
  });
  const tslab = join(ROOT, 'node_modules', 'tslab', 'bin', 'tslab');
  if (existsSync(tslab)) {
    const argv = [process.execPath, tslab, 'kernel', '--config-path', '{connection_file}'];
    found.push({ spec: spec('tslab', argv), define: typescript });
  } else missing.push('tslab: not in node_modules');
  const python = [process.env.LAB_BENCH_PYTHON, join(ROOT, '.venv', 'bin', 'python'), 'python3'].find(
    (one) => one !== undefined && spawnSync(one, ['-c', 'import ipykernel']).status === 0,
  );
  if (python) {
    const argv = [python, '-Xfrozen_modules=off', '-m', 'ipykernel_launcher', '-f', '{connection_file}'];
    found.push({
      spec: spec('ipykernel', argv),
      define: (i) => `value${i} = ${i}\ndef double${i}(x): return 2 * x + value${i}`,
    });
  } else missing.push('ipykernel: no Python here has it (LAB_BENCH_PYTHON names one)');
  const deno = [process.env.LAB_BENCH_DENO, 'deno'].find(
    (one) => one !== undefined && spawnSync(one, ['--version']).status === 0,
  );
  if (deno) {
    found.push({
      spec: spec('deno', [deno, 'jupyter', '--kernel', '--conn', '{connection_file}']),
      define: typescript,
    });
  } else missing.push('deno: not installed (LAB_BENCH_DENO names one)');
  return { found, missing };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function time(client: KernelClient, code: string): Promise<number> {
  const start = performance.now();
  const { reply } = await client.execute(code);
  if (reply.status !== 'ok')
    throw new Error(`${client.spec.name} failed at ${code}: ${String(reply.evalue)}`);
  return performance.now() - start;
}

/** One start and a short life of a kernel. */
async function measure(contender: Contender, into: Figures, definitions: number): Promise<void> {
  const client = await startKernel({ kernel: contender.spec, cwd: join(ROOT, 'notebooks') });
  try {
    into.ready.push(client.readyAfter);
    into.memory.push(treeMemory(client.process.pid ?? 0));
    into.first.push(await time(client, '1+1'));
    for (let i = 0; i < 20; i++) into.steady.push(await time(client, '1+1'));
    for (let i = 0; i < 20; i++) into.define.push(await time(client, contender.define(i)));
    for (let i = 20; i < definitions; i++) await time(client, contender.define(i));
    if (definitions > 20) {
      for (let i = definitions; i < definitions + 20; i++)
        into.defineLate.push(await time(client, contender.define(i)));
    }
    if (contender.importLibrary) into.importLibrary.push(await time(client, contender.importLibrary));
  } finally {
    await client.shutdown();
  }
}

const ROWS: [label: string, key: keyof Figures, unit: string][] = [
  ['start to ready', 'ready', 'ms'],
  ['first `1+1`', 'first', 'ms'],
  ['steady `1+1`', 'steady', 'ms'],
  ['a new definition', 'define', 'ms'],
  ['a new definition, late', 'defineLate', 'ms'],
  ['import of the library', 'importLibrary', 'ms'],
  ['resident memory when ready', 'memory', 'MB'],
];

function table(figures: ReadonlyMap<string, Figures>, cells: number): string {
  const names = [...figures.keys()];
  const cell = (value: number) =>
    Number.isNaN(value) ? '–' : value < 20 ? value.toFixed(1) : value.toFixed(0);
  const lines = ROWS.map(([label, key, unit]) => {
    const values = names.map((name) => cell(median(figures.get(name)?.[key] ?? [])));
    const named = key === 'defineLate' ? `a new definition after ${cells} cells` : label;
    return `| ${named} (${unit}) | ${values.join(' | ')} |`;
  });
  return [`| | ${names.join(' | ')} |`, `|---|${names.map(() => '---:|').join('')}`, ...lines].join('\n');
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    cells: { type: 'string', default: '500' },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const cells = Number(options.cells);
const { found, missing } = contenders();
const figures = new Map<string, Figures>();
for (const { spec: one } of found) {
  figures.set(one.name, {
    ready: [],
    first: [],
    steady: [],
    define: [],
    defineLate: [],
    importLibrary: [],
    memory: [],
  });
}
for (let round = 0; round < rounds; round++) {
  for (const contender of found) {
    const into = figures.get(contender.spec.name);
    process.stderr.write(`round ${round + 1} of ${rounds}: ${contender.spec.name}\n`);
    // the long life is long for the stock kernel: once is enough
    if (into) await measure(contender, into, round === 0 ? cells : 0);
  }
}
const [cpu] = cpus();
const report = [
  table(figures, cells),
  '',
  `Medians of ${rounds} starts, taking turns; ${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, Node ${process.version}. Memory is the sum over all processes of a kernel.`,
  ...missing.map((one) => `Not measured: ${one}.`),
].join('\n');
console.log(report);
if (options.write) {
  const text = `# Speed of the kernel\n\nMeasured by \`npm run bench:kernel -- --write\`. Ratios between columns count: milliseconds depend on the machine.\n\n${report}\n`;
  writeFileSync(join(ROOT, 'docs', 'kernel-speed.md'), text);
}
