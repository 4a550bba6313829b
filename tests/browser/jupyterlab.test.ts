/** The first chapter in the real JupyterLab, as a learner has it in front of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { type Notebook, notebookOf, serializeNotebook } from '../../src/notebook/ipynb.ts';
import { loadMaster } from '../../src/notebook/master.ts';
import { type Lab, obstacle, openLab, runAll } from './lab.ts';

const missing = obstacle();
const CHAPTER = '00-start-here';

const codeCells = (notebook: Pick<Notebook, 'cells'>): number =>
  notebook.cells.filter((cell) => cell.cell_type === 'code').length;

describe('the start chapter in JupyterLab', () => {
  let lab: Lab;

  beforeAll(async () => {
    if (missing !== undefined) return;
    const master = await loadMaster(join(ROOT, `notebooks/source/${CHAPTER}.ts`));
    const solved = notebookOf(master, { variant: 'solved' });
    // Tall enough for the whole chapter.
    lab = await openLab('solved', serializeNotebook(solved), 14_000);
    await runAll(lab.page, codeCells(solved), 300_000);
  }, 500_000);

  afterAll(async () => {
    await lab?.close();
  }, 30_000);

  test('opens with the course kernel and asks no questions', async (context) => {
    if (missing !== undefined) context.skip(missing);
    await expect(lab.page.locator('.jp-KernelName').innerText()).resolves.toContain('TypeScript');
    expect(await lab.page.locator('.jp-Dialog').count()).toBe(0);
    // The consent form for news would be a notification.
    expect(await lab.page.locator('.jp-toast-button-bar').count()).toBe(0);
  });

  test('runs to its end without an error', async (context) => {
    if (missing !== undefined) context.skip(missing);
    const errors = lab.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]');
    expect(await errors.allInnerTexts()).toEqual([]);
  });

  test('draws its charts with Vega, with marks in them', async (context) => {
    if (missing !== undefined) context.skip(missing);
    const charts = lab.page.locator('.jp-RenderedVegaCommon5 .vega-embed');
    // Vega draws after the cell has ended.
    await expect.poll(() => charts.locator('canvas').count(), { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
    const colours: number[] = await charts.locator('canvas').evaluateAll((canvases) =>
      canvases.map((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      }),
    );
    // An empty canvas has one colour, a chart with axes and text dozens.
    for (const count of colours) expect(count).toBeGreaterThan(20);
  });

  test('shows a passing check', async (context) => {
    if (missing !== undefined) context.skip(missing);
    const outputs = await lab.page.locator('.jp-OutputArea-output').allInnerTexts();
    for (const id of ['start/standardize', 'start/distances', 'start/log-sum-exp', 'start/linear-fit']) {
      expect(
        outputs.some((text) => text.includes('✓') && text.includes(id)),
        id,
      ).toBe(true);
    }
  });

  test('shows a failing check with the known mistake by its name', async (context) => {
    if (missing !== undefined) context.skip(missing);
    const outputs = await lab.page.locator('.jp-OutputArea-output').allInnerTexts();
    const failing = outputs.find((text) => text.includes('✗') && text.includes('start/standardize'));
    expect(failing).toContain('What went wrong');
    expect(failing).toContain('whole table');
  });

  test('asks nobody outside this machine for anything', (context) => {
    if (missing !== undefined) context.skip(missing);
    expect(lab.foreignRequests).toEqual([]);
  });
});

test('the released notebook runs to its end with nothing solved, and Ctrl-C ends the lab', async (context) => {
  if (missing !== undefined) context.skip(missing);
  const released = readFileSync(join(ROOT, `notebooks/${CHAPTER}.ipynb`), 'utf8');
  const lab = await openLab('released', released, 14_000);
  try {
    await runAll(lab.page, codeCells(JSON.parse(released)), 300_000);
    const outputs = await lab.page.locator('.jp-OutputArea-output').allInnerTexts();
    expect(outputs.filter((text) => text.includes('is not written yet')).length).toBeGreaterThanOrEqual(4);
  } finally {
    expect(await lab.close()).toBe(0);
  }
}, 500_000);
