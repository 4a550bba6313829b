/**
 * The two kernels of one contract: notebooks of the course on the stock `tslab` kernel, and what runs there, here.
 */
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { build } from '../../src/cli/build.ts';
import { type KernelSpec, parseNotebook, runNotebook } from '../../src/kernel/client/index.ts';
import { notebookOf } from '../../src/notebook/ipynb.ts';
import { loadMaster } from '../../src/notebook/master.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The npm package `tslab` as a kernel. */
const STOCK: KernelSpec = {
  name: 'tslab',
  argv: [
    process.execPath,
    join(ROOT, 'node_modules', 'tslab', 'bin', 'tslab'),
    'kernel',
    '--config-path',
    '{connection_file}',
  ],
  display_name: 'tslab',
  language: 'typescript',
  interrupt_mode: 'signal',
  env: {},
};

const text = (cells: string[]) =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: cells.map((source, i) => ({
      cell_type: 'code',
      id: `c${i}`,
      metadata: {},
      source,
      outputs: [],
      execution_count: null,
    })),
  });

describe('the course on the stock kernel', () => {
  beforeAll(() => build(), 180_000);

  test('a solved chapter runs there', { timeout: 300_000 }, async () => {
    const master = await loadMaster(join(ROOT, 'notebooks', 'source', '00-start-here.ts'));
    const solved = parseNotebook(JSON.stringify(notebookOf(master, { variant: 'solved' })), 'solved');
    const { failures, executed } = await runNotebook(solved, { kernel: STOCK, cwd: join(ROOT, 'notebooks') });
    expect(failures).toEqual([]);
    expect(executed).toBeGreaterThan(5);
  });
});

/** An output as a person sees it: the stock kernel prints results on stdout. */
function shown(output: Record<string, unknown>): unknown {
  const data: unknown = output.data;
  if (output.output_type === 'execute_result') return `${String(Reflect.get(Object(data), 'text/plain'))}\n`;
  if (output.output_type === 'stream') return stripVTControlCharacters(String(output.text));
  return data;
}

test('what runs on tslab runs here, with the same outputs', { timeout: 120_000 }, async () => {
  const cells = [
    'import * as tslab from "tslab"; import { display } from "tslab";',
    'let x = 3\nx * 2',
    'const square = (n: number) => n * n;\n[1, 2, 3].map(square)',
    'class Animal { constructor(private name: string) {}\n  speak() { return this.name + " speaks"; } }\nnew Animal("cat").speak().length',
    'enum Color { Red, Green }\nColor.Green',
    'interface P { a: number }\nconst p: P = { a: 5 };\np.a',
    'import { join } from "path";\njoin("a", "b").length',
    'const os = require("os"); typeof os.platform() === "string"',
    'const later = await new Promise<number>((resolve) => setTimeout(() => resolve(7), 5));\nlater',
    'display.html("<b>bold</b>"); display.markdown("# md"); display.text("t")',
    'console.log("out"); console.error("err")',
    'x = 10; x',
    'let x = "redeclared";\nx.length',
  ];
  const outputs = await Promise.all(
    [STOCK, undefined].map(async (kernel) => {
      const run = await runNotebook(parseNotebook(text(cells), 'both'), {
        ...(kernel ? { kernel } : {}),
        cwd: join(ROOT, 'notebooks'),
        allowErrors: true,
      });
      return run.notebook.cells.map((cell) => (cell.outputs ?? []).map(shown));
    }),
  );
  expect(outputs[1]).toEqual(outputs[0]);
});
