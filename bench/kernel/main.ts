/**
 * `npm run bench:kernel`: this kernel beside the stock `tslab`, ipykernel and Deno, in the same minutes on the same
 * machine, taking turns. Kernels that are not there are named as missing. With `--write`, the table goes to
 * docs/kernel-speed.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type KernelClient, startKernel } from '../../src/kernel/client/index.ts';
import { makeSnapshot } from '../../src/kernel/snapshot/index.ts';
import { type Contender, contenders } from './contenders.ts';
import { treeMemory } from './memory.ts';

/** Milliseconds before the first cell. */
const LOOK = 8000;

const ROOT = join(import.meta.dirname, '..', '..');

/** Milliseconds, and megabytes of memory. */
interface Figures {
  ready: number[];
  first: number[];
  steady: number[];
  define: number[];
  defineLate: number[];
  importAtOnce: number[];
  importLibrary: number[];
  memory: number[];
  memoryUsed: number[];
  memoryLate: number[];
  /** cells of the long life; fewer than asked for where time ran out */
  cells: number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** A kernel that owes an answer for so long has lost the request: the stock one does so now and then. */
const LOST = 20_000;

class LostError extends Error {}

async function time(client: KernelClient, code: string): Promise<number> {
  const start = performance.now();
  const lost = delay(LOST, undefined, { ref: false }).then(() => {
    throw new LostError(`${client.spec.name} never answered ${code}`);
  });
  const { reply } = await Promise.race([client.execute(code), lost]);
  if (reply.status !== 'ok')
    throw new Error(`${client.spec.name} failed at ${code}: ${String(reply.evalue)}`);
  return performance.now() - start;
}

/**
 * One start and a life of a kernel.
 *
 * @param life how many cells it is to define, and the milliseconds that may take
 */
async function measure(
  contender: Contender,
  into: Figures,
  life: { cells: number; limit: number },
): Promise<void> {
  const client = await startKernel({ kernel: contender.spec, cwd: join(ROOT, 'notebooks') });
  const memory = () => treeMemory(client.process.pid ?? 0);
  try {
    into.ready.push(client.readyAfter);
    into.memory.push(memory());
    into.first.push(await time(client, '1+1'));
    for (let i = 0; i < 20; i++) into.steady.push(await time(client, '1+1'));
    for (let i = 0; i < 20; i++) into.define.push(await time(client, contender.define(i)));
    into.memoryUsed.push(memory());
    if (life.cells > 0) {
      const deadline = performance.now() + life.limit;
      let cells = 20;
      for (; cells < life.cells && performance.now() < deadline; cells++) {
        into.cells = cells;
        await time(client, contender.define(cells));
      }
      into.cells = cells;
      for (let i = cells; i < cells + 20; i++) into.defineLate.push(await time(client, contender.define(i)));
      into.memoryLate.push(memory());
    }
    if (contender.importLibrary) into.importAtOnce.push(await time(client, contender.importLibrary));
  } catch (error) {
    if (!(error instanceof LostError)) throw error;
    process.stderr.write(`${error.message}: its life ended there\n`);
  } finally {
    await client.shutdown();
  }
}

/** The first cell of most notebooks, run by a person who has looked at the page for some seconds. */
async function measureImport(contender: Contender, into: Figures): Promise<void> {
  if (contender.importLibrary === undefined) return;
  const client = await startKernel({ kernel: contender.spec, cwd: join(ROOT, 'notebooks') });
  try {
    await delay(LOOK);
    into.importLibrary.push(await time(client, contender.importLibrary));
  } finally {
    await client.shutdown();
  }
}

const ROWS: [label: string, key: Exclude<keyof Figures, 'cells'>, unit: string][] = [
  ['start to ready', 'ready', 'ms'],
  ['first `1+1`', 'first', 'ms'],
  ['steady `1+1`', 'steady', 'ms'],
  ['a new definition', 'define', 'ms'],
  ['a new definition after CELLS cells', 'defineLate', 'ms'],
  [`import of the library, ${LOOK / 1000} s after the start`, 'importLibrary', 'ms'],
  ['import of the library in a busy kernel', 'importAtOnce', 'ms'],
  ['resident memory when ready', 'memory', 'MB'],
  ['resident memory after 41 cells', 'memoryUsed', 'MB'],
  ['resident memory after CELLS cells', 'memoryLate', 'MB'],
];

function table(figures: ReadonlyMap<string, Figures>, cells: number): string {
  const names = [...figures.keys()];
  const cell = (value: number) =>
    Number.isNaN(value) ? '–' : value < 20 ? value.toFixed(1) : value.toFixed(0);
  const lines = ROWS.map(([label, key, unit]) => {
    const isLate = label.includes('CELLS');
    const values = names.map((name) => {
      const one = figures.get(name);
      const text = cell(median(one?.[key] ?? []));
      return isLate && one && one.cells < cells && text !== '–' ? `${text} (after ${one.cells})` : text;
    });
    return `| ${label.replace('CELLS', String(cells))} (${unit}) | ${values.join(' | ')} |`;
  });
  return [`| | ${names.join(' | ')} |`, `|---|${names.map(() => '---:|').join('')}`, ...lines].join('\n');
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    cells: { type: 'string', default: '500' },
    limit: { type: 'string', default: '60' },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const cells = Number(options.cells);
const limit = Number(options.limit);
// a kernel that is measured ends with this process, also where it would not notice that its client is gone
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
await makeSnapshot();
const { found, missing } = contenders();
const figures = new Map<string, Figures>();
for (const { spec } of found) {
  figures.set(spec.name, {
    ready: [],
    first: [],
    steady: [],
    define: [],
    defineLate: [],
    importAtOnce: [],
    importLibrary: [],
    memory: [],
    memoryUsed: [],
    memoryLate: [],
    cells,
  });
}
for (let round = 0; round < rounds; round++) {
  for (const contender of found) {
    const into = figures.get(contender.spec.name);
    process.stderr.write(`round ${round + 1} of ${rounds}: ${contender.spec.name}\n`);
    // the long life is long for the stock kernel: once is enough
    if (!into) continue;
    await measure(contender, into, { cells: round === 0 ? cells : 0, limit: limit * 1000 });
    await measureImport(contender, into);
  }
}
const [cpu] = cpus();
const report = [
  table(figures, cells),
  '',
  `Medians of ${rounds} starts, taking turns; ${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, Node ${process.version}. Memory is the sum over all processes of a kernel; where the long life was not over after ${limit} s, the cells it got to are told.`,
  ...missing.map((one) => `Not measured: ${one}.`),
].join('\n');
console.log(report);
if (options.write) {
  const file = join(ROOT, 'docs', 'kernel-speed.md');
  const [before = '', rest = ''] = readFileSync(file, 'utf8').split('<!-- measured -->');
  const after = rest.split('<!-- end -->')[1] ?? '';
  writeFileSync(file, `${before}<!-- measured -->\n\n${report}\n\n<!-- end -->${after}`);
}
