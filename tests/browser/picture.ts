/** Takes the picture of a notebook for the README: `npm run docs:picture`. */
import { join } from 'node:path';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { notebookOf, serializeNotebook } from '../../src/notebook/ipynb.ts';
import { loadMaster } from '../../src/notebook/master.ts';
import { obstacle, openLab, runAll } from './lab.ts';

const missing = obstacle();
if (missing !== undefined) throw new Error(missing);

const [chapter = '00-start-here', text = 'Two ways to centre a table', target = 'docs/images/notebook.png'] =
  process.argv.slice(2);
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
  // JupyterLab draws a cell when it comes into view: go down until the wanted text does.
  const place = page.getByText(text).first();
  const panel = page.locator('.jp-Notebook .jp-WindowedPanel-outer, .jp-WindowedPanel-outer').first();
  for (let top = 0; !(await place.isVisible()) && top < 20_000; top += 300) {
    await panel.evaluate((element, to) => element.scrollTo(0, to), top);
    await page.waitForTimeout(200);
  }
  await place.evaluate((element) => element.scrollIntoView({ block: 'start' }));
  await page.waitForTimeout(2_000);
  await page.screenshot({ path: join(ROOT, target) });
  console.log(target);
} finally {
  await lab.close();
}
