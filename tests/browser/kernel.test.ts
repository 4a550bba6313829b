/** The kernel as a person has it in JupyterLab: cells, questions about code, interrupts and pictures. */
import { existsSync, readFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseNotebook } from '../../src/kernel/client/index.ts';
import { type Lab, notebookFile, obstacle, openLab } from './lab.ts';

const NAME = 'kernel';
const missing = obstacle();

/** The cells of the notebook, by what they are for. */
const CELLS = {
  state: "const precious = { answer: 42, question: 'why' };",
  completion: '',
  inspection: 'precious',
  loop: 'for (;;) {}',
  after: 'precious.answer + 1',
  error: "const inner = (x: number) => {\n  throw new RangeError('no ' + x);\n};\ninner(5)",
  refused: "const count: number = 'three';",
  prompt: "const who = prompt('Who?'); 'hello ' + who",
  progress: `import { progressBar } from 'llm-lab';
const bar = progressBar('working');
for (let i = 1; i <= 8; i++) { bar.report(i, 8, 'step'); await new Promise((r) => setTimeout(r, 300)); }
bar.end();`,
  tensor:
    "import * as tf from '@tensorflow/tfjs-core';\nimport { startBackend } from 'llm-lab';\nawait startBackend();\ntf.tensor2d([[1, -1, 0], [0, 2, 5]])",
  chart: `({ $schema: 'https://vega.github.io/schema/vega-lite/v5.json', data: { values: [{ a: 'x', b: 3 }, { a: 'y', b: 7 }] },
  mark: 'bar', encoding: { x: { field: 'a', type: 'nominal' }, y: { field: 'b', type: 'quantitative' } } })`,
  folded: "Array.from({ length: 200 }, (_, i) => 'line ' + i + ' of a long result'.repeat(5))",
  lines: 'for (let i = 0; i < 100_000; i++) console.log("line", i)',
} as const;
type Name = keyof typeof CELLS;
const NAMES = Object.keys(CELLS);

let lab: Lab;

beforeAll(async () => {
  if (missing !== undefined) return;
  const cells = Object.entries(CELLS).map(([id, source]) => ({
    cell_type: 'code',
    id,
    metadata: {},
    execution_count: null,
    outputs: [],
    source,
  }));
  const kernelspec = { name: 'llm-lab', display_name: 'TypeScript (LLM Lab)', language: 'typescript' };
  const notebook = { cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
  lab = await openLab(NAME, JSON.stringify(notebook), 4_000);
}, 500_000);

afterAll(async () => {
  await lab?.close();
}, 60_000);

const cell = (name: Name): Locator => lab.page.locator('.jp-Notebook .jp-Cell').nth(NAMES.indexOf(name));
const outputs = (name: Name): Locator => cell(name).locator('.jp-OutputArea-output');
const editor = (name: Name): Locator => cell(name).locator('.cm-content');

async function start(name: Name): Promise<void> {
  await editor(name).click();
  await lab.page.keyboard.press('Control+Enter');
}

/** Runs a cell to its end. */
async function run(name: Name): Promise<void> {
  const before = await cell(name).locator('.jp-InputPrompt').innerText();
  await start(name);
  await expect
    .poll(() => cell(name).locator('.jp-InputPrompt').innerText(), { timeout: 300_000 })
    .toMatch(/\[\d+\]/);
  if (before.includes('*')) throw new Error(`${name} was running already`);
}

/** Chooses an item of a menu; its name is followed by its shortcut. */
async function choose(menu: string, item: RegExp): Promise<void> {
  await lab.page.getByRole('menuitem', { name: menu, exact: true }).click();
  await lab.page.getByRole('menuitem', { name: item }).first().click();
}

/** A test that needs the browser, with time for a busy machine. */
function inBrowser(name: string, action: () => Promise<void>): void {
  test(name, { timeout: 400_000 }, async (context) => {
    if (missing !== undefined) context.skip(missing);
    await action();
  });
}

inBrowser('completion offers the members of what a cell declared', async () => {
  await run('state');
  await editor('completion').click();
  await lab.page.keyboard.type('precious.');
  await lab.page.keyboard.press('Tab');
  const offers = lab.page.locator('.jp-Completer-item');
  await expect.poll(() => offers.allInnerTexts(), { timeout: 120_000 }).toHaveLength(2);
  expect((await offers.allInnerTexts()).join(' ')).toMatch(/answer[\s\S]*question/);
  await lab.page.keyboard.press('Enter');
  expect(await editor('completion').innerText()).toBe('precious.answer');
});

inBrowser('inspection shows the type of a name', async () => {
  await editor('inspection').click();
  await lab.page.keyboard.press('End');
  await lab.page.keyboard.press('Shift+Tab');
  const tooltip = lab.page.locator('.jp-Tooltip');
  // JupyterLab shows the box a moment before its text.
  await expect
    .poll(async () => (await tooltip.allInnerTexts()).join(), { timeout: 120_000 })
    .toMatch(/const precious: \{\s*answer: number;\s*question: string;?\s*\}/);
  await lab.page.keyboard.press('Escape');
});

inBrowser('an interrupt ends an endless loop and keeps what cells declared', async () => {
  await start('loop');
  await expect.poll(() => cell('loop').locator('.jp-InputPrompt').innerText()).toContain('*');
  await choose('Kernel', /^Interrupt Kernel/);
  await expect.poll(() => outputs('loop').allInnerTexts(), { timeout: 120_000 }).toHaveLength(1);
  expect(await outputs('loop').innerText()).toContain('Interrupted');
  await run('after');
  expect(await outputs('after').innerText()).toBe('43');
});

inBrowser('an error shows its message, the line and the frames of the cell', async () => {
  await run('error');
  const text = await outputs('error').innerText();
  expect(text).toMatch(/^RangeError: no 5/);
  expect(text).toMatch(/> 2 \|\s+throw new RangeError/);
  expect(text).toMatch(/at inner \(In\[\d+\]:2:9\)\s+at In\[\d+\]:4:1/);
});

inBrowser('a type error refuses the cell with its place', async () => {
  await run('refused');
  expect(await outputs('refused').innerText()).toMatch(/In\[\d+\]:1:7 - error TS2322/);
});

inBrowser('prompt() asks in the cell and takes the answer', async () => {
  await start('prompt');
  const input = lab.page.locator('.jp-Stdin-input');
  await input.waitFor({ timeout: 120_000 });
  expect(await lab.page.locator('.jp-Stdin-prompt').innerText()).toContain('Who?');
  await input.fill('Zoë');
  await input.press('Enter');
  await expect.poll(() => outputs('prompt').allInnerTexts(), { timeout: 120_000 }).toContain("'hello Zoë'");
});

inBrowser('a progress bar fills in place and leaves one line', async () => {
  await start('progress');
  const bar = outputs('progress').locator('progress');
  const seen = new Set<string | null>();
  await bar.waitFor({ timeout: 120_000 });
  for (let i = 0; i < 100 && (await bar.count()) === 1; i++) {
    seen.add(await bar.getAttribute('value', { timeout: 1000 }).catch(() => null));
    await lab.page.waitForTimeout(50);
  }
  expect(seen.size).toBeGreaterThan(2);
  await expect.poll(() => outputs('progress').allInnerTexts(), { timeout: 120_000 }).toHaveLength(1);
  expect(await outputs('progress').innerText()).toMatch(/^working: 8 of 8 in \d+ s, step$/);
});

inBrowser('a tensor shows its shape, its statistics and a heat map', async () => {
  await run('tensor');
  const shown = outputs('tensor').last();
  expect(await shown.innerText()).toMatch(/Tensor \[2, 3\] float32 on \w+\s+min -1\s+max 5/);
  const picture = shown.locator('img[alt="heat map"]');
  expect(await picture.evaluate((image) => [image.naturalWidth, image.naturalHeight])).toEqual([3, 2]);
});

inBrowser('a Vega-Lite specification is drawn as a chart', async () => {
  await run('chart');
  const canvas = outputs('chart').locator('canvas');
  await canvas.waitFor({ timeout: 120_000 });
  expect((await canvas.boundingBox())?.width).toBeGreaterThan(20);
});

inBrowser('a long result shows its beginning, and the rest at a click', async () => {
  await run('folded');
  const shown = outputs('folded');
  const last = shown.getByText('line 199');
  const more = shown.locator('summary');
  expect(await more.innerText()).toMatch(/^18\d more lines$/);
  expect(await shown.innerText()).toContain('line 5 ');
  expect(await last.isVisible()).toBe(false);
  await more.click();
  expect(await last.isVisible()).toBe(true);
  await more.click();
  expect(await last.isVisible()).toBe(false);
});

inBrowser('a restart forgets everything and goes on', async () => {
  await choose('Kernel', /^Restart Kernel…/);
  await lab.page.locator('.jp-Dialog .jp-mod-accept').click();
  await lab.page.getByText(/TypeScript.*\| Idle/).waitFor({ timeout: 120_000 });
  await run('after');
  expect(await outputs('after').innerText()).toContain("Cannot find name 'precious'");
  await run('state');
  await run('after');
  expect(await outputs('after').innerText()).toBe('43');
});

// the last one: the page is busy with so many lines for a while
inBrowser('100 000 lines arrive all, and are saved all', async () => {
  await run('lines');
  await lab.page.keyboard.press('Control+s');
  const saved = () => {
    const file = notebookFile(NAME);
    if (!existsSync(file)) return '';
    const { outputs: all = [] } =
      parseNotebook(readFileSync(file, 'utf8'), file).cells[NAMES.indexOf('lines')] ?? {};
    return all.map((one) => [one.text].flat().join('')).join('');
  };
  await expect.poll(() => saved().length, { timeout: 120_000, interval: 1000 }).toBeGreaterThan(1_000_000);
  const lines = saved().trimEnd().split('\n');
  expect(lines.length).toBe(100_000);
  expect(lines.every((line, i) => line === `line ${i}`)).toBe(true);
});
