/** Takes the picture of a notebook for the README: `npm run docs:picture`. */
import { join } from 'node:path';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { notebookOf, serializeNotebook } from '../../src/notebook/ipynb.ts';
import { loadMaster } from '../../src/notebook/master.ts';
import { obstacle, openLab, runAll } from './lab.ts';

const missing = obstacle();
if (missing !== undefined) throw new Error(missing);

const [
  chapter = '00-start-here',
  text = 'The check runs your function on inputs',
  target = 'docs/images/notebook.png',
] = process.argv.slice(2);
const notebook = notebookOf(await loadMaster(join(ROOT, `notebooks/source/${chapter}.ts`)), {
  variant: 'solved',
});
const lab = await openLab(chapter, serializeNotebook(notebook), 14_000);
try {
  const { page } = lab;
  await runAll(page, notebook.cells.filter((cell) => cell.cell_type === 'code').length, 400_000);
  // Only the notebook: the list of files would show where this ran.
  await page.keyboard.press('Control+b');
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.waitForTimeout(1_000);
  // After the run the last cell is selected. JupyterLab draws what comes into view, so go up cell by cell.
  const top = notebook.cells.findIndex(({ source }) => [source].flat().join('').includes(text));
  for (let cell = notebook.cells.length - 1; cell > top; cell--) {
    await page.keyboard.press('k');
    await page.waitForTimeout(150);
  }
  await page.waitForTimeout(2_000);
  await page.screenshot({ path: join(ROOT, target) });
  console.log(target);
} finally {
  await lab.close();
}
