/**
 * How many submissions a minute: copies of the solved chapter 03-bert, eleven exercises each, every one run and judged in full.
 * `npm run bench:grade -- 40` grades forty; the target is 60 a minute on two cores.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { gradeAll } from '../../grader/batch.ts';
import { NOTEBOOKS_FOLDER } from '../../src/notebook/course.ts';
import { notebookOf, serializeNotebook } from '../../src/notebook/ipynb.ts';
import { loadMaster } from '../../src/notebook/master.ts';

const count = Number(process.argv[2] ?? 40);
const folder = mkdtempSync(path.join(tmpdir(), 'lab-bench-'));
const source = path.join(folder, 'in');
mkdirSync(source);
const solved = notebookOf(await loadMaster(path.join(NOTEBOOKS_FOLDER, 'source', '03-bert.ts')), {
  variant: 'solved',
});
for (let i = 0; i < count; i++)
  writeFileSync(path.join(source, `learner-${i}.ipynb`), serializeNotebook(solved));

const jobs = Math.min(2, availableParallelism());
const started = performance.now();
let memory = 0;
try {
  const reports = await gradeAll({
    source,
    out: path.join(folder, 'out'),
    jobs,
    timeoutMs: 60_000,
    memoryMb: 1024,
    resume: false,
    format: 'all',
    seed: 'bench',
    onReport: () => {
      memory = Math.max(memory, process.memoryUsage().rss);
    },
  });
  const minutes = (performance.now() - started) / 60_000;
  const passed = reports.filter(({ verdict }) => verdict === 'pass').length;
  const line = {
    submissions: count,
    passed,
    exercises: reports[0]?.exercises.length,
    jobs,
    perMinute: Math.round(count / minutes),
    graderMiB: Math.round(memory / 1024 / 1024),
    loadAverage: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
  console.log(JSON.stringify(line));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
