/** Writing reports: each file whole or not at all. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileNameOf } from './names.js';
import { learnerPage, overviewPage } from './pages.js';
import { gradesCsv, gradescopeResults, junitXml } from './tables.js';

const LEARNERS = 'learners';
function writeWhole(file, text) {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
/** A learner's own report, as soon as it is there: JSON and HTML, and Gradescope's results where asked for. */
export function writeLearner(out, report, exercises, format) {
  const folder = path.join(out, LEARNERS);
  mkdirSync(folder, { recursive: true });
  const base = path.join(folder, fileNameOf(report.learner));
  writeWhole(`${base}.json`, json(report));
  writeWhole(`${base}.html`, learnerPage(report, exercises));
  if (format === 'gradescope') writeWhole(`${base}.results.json`, json(gradescopeResults(report)));
}
/** What is about all: grades.csv, grades.json, junit.xml, index.html; for Gradescope, which grades one, its results.json. */
export function writeSummary(out, reports, format) {
  writeWhole(path.join(out, 'grades.csv'), gradesCsv(reports));
  writeWhole(
    path.join(out, 'grades.json'),
    json(
      reports.map(({ learner, file, chapter, verdict, score, points, seed }) => ({
        learner,
        file,
        chapter,
        verdict,
        score,
        points,
        seed,
      })),
    ),
  );
  writeWhole(path.join(out, 'junit.xml'), junitXml(reports));
  writeWhole(path.join(out, 'index.html'), overviewPage(reports, LEARNERS));
  const [only] = reports;
  if (format === 'gradescope' && only !== undefined && reports.length === 1) {
    writeWhole(path.join(out, 'results.json'), json(gradescopeResults(only)));
  }
}
