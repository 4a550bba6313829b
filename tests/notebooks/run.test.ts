/**
 * Every chapter, executed in the lab's own kernel over the Jupyter protocol: as learners get it, where each check must
 * fail and nothing else may break, and solved, where all must pass and what the text claims must hold.
 *
 * Training is shortened (LLM_LAB_FAST=1). `npm run course:full` runs it in full.
 */
import { describe, expect, it } from 'vitest';
import {
  type Notebook as Executed,
  parseNotebook,
  runNotebook,
  sourceOf,
} from '../../src/kernel/client/index.ts';
import { generateNotebooks, loadMasters, NOTEBOOKS_FOLDER } from '../../src/notebook/course.ts';
import { notebookOf, serializeNotebook, type Variant } from '../../src/notebook/ipynb.ts';
import type { Master } from '../../src/notebook/master.ts';
import { CLAIMS } from './claims.ts';

/** The mode that `course:full` gives to Vitest. */
const FULL = process.env.MODE === 'full';
if (!FULL) process.env.LLM_LAB_FAST = '1';
const MINUTES = 60_000;

/** The notebook of a master, executed, with its claims as cells at the end. */
async function execute(
  master: Master,
  variant: Variant,
): Promise<{ failures: string[]; notebook: Executed; claims: string[] }> {
  const notebook = parseNotebook(serializeNotebook(notebookOf(master, { variant })), `${master.name}.ipynb`);
  const { always = [], full = [] } = CLAIMS[master.name] ?? {};
  const claims = variant === 'solved' ? [...always, ...(FULL ? full : [])] : [];
  for (const [index, claim] of claims.entries()) {
    const source = `console.log('claim ${index}:', ${claim});`;
    notebook.cells.push({
      cell_type: 'code',
      id: `claim-${index}`,
      metadata: {},
      source,
      outputs: [],
      execution_count: null,
    });
  }
  const run = await runNotebook(notebook, {
    cwd: NOTEBOOKS_FOLDER,
    allowErrors: true,
    timeout: 15 * MINUTES,
  });
  const failures = run.failures.map(({ id, ename, evalue }) => `${id}: ${ename}: ${evalue}`);
  const failed = claims.filter(
    (_, index) => !textOf(run.notebook, `claim-${index}`).includes(`claim ${index}: true`),
  );
  return { failures, notebook: run.notebook, claims: failed };
}

/** Everything a cell put out, as text. */
function textOf(notebook: Executed, id: string): string {
  const cell = notebook.cells.find((one) => one.id === id);
  return JSON.stringify(cell?.outputs ?? []);
}

/** The check of each exercise, by id: the first cell after the answer that calls it. */
function checksOf(notebook: Executed): { exercise: string; output: string }[] {
  const checks: { exercise: string; output: string }[] = [];
  for (const [index, cell] of notebook.cells.entries()) {
    const lab = cell.metadata.lab;
    if (typeof lab !== 'object' || lab === null || !('exercise' in lab) || !('kind' in lab)) continue;
    if (lab.kind !== 'answer') continue;
    const exercise = String(lab.exercise);
    const next = notebook.cells.slice(index + 1).find((one) => sourceOf(one).includes(`check('${exercise}'`));
    checks.push({ exercise, output: next === undefined ? 'no check' : textOf(notebook, next.id ?? '') });
  }
  return checks;
}

const masters = await loadMasters();

it('the notebooks in the repository are what their masters make', async () => {
  const stale = (await generateNotebooks({ check: true })).filter(({ state }) => state === 'stale');
  expect(stale).toEqual([]);
});

describe.each(masters)('$name', (master) => {
  it('as released: every check fails, nothing else breaks', { timeout: 20 * MINUTES }, async () => {
    const { failures, notebook } = await execute(master, 'released');
    expect(failures).toEqual([]);
    const checks = checksOf(notebook);
    expect(checks.length).toBeGreaterThan(0);
    for (const { exercise, output } of checks) expect(output, exercise).toContain('✗');
  });

  it('solved: every check passes and the claims hold', { timeout: 20 * MINUTES }, async () => {
    const { failures, notebook, claims } = await execute(master, 'solved');
    expect(failures).toEqual([]);
    for (const { exercise, output } of checksOf(notebook)) {
      expect(output, exercise).toContain('✓');
      expect(output, exercise).not.toContain('✗');
    }
    expect(claims).toEqual([]);
  });
});
