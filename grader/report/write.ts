/** Writing reports: each file whole or not at all. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Exercise } from '../define.ts';
import type { SubmissionReport } from '../grade.ts';
import { fileNameOf } from './names.ts';
import { learnerPage, overviewPage } from './pages.ts';
import { gradesCsv, gradescopeResults, junitXml } from './tables.ts';

const LEARNERS = 'learners';

export type ReportFormat = 'all' | 'gradescope';

function writeWhole(file: string, text: string): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A learner's own report, as soon as it is there: JSON and HTML, and Gradescope's results where asked for. */
export function writeLearner(
  out: string,
  report: SubmissionReport,
  exercises: ReadonlyMap<string, Exercise>,
  format: ReportFormat,
): void {
  const folder = path.join(out, LEARNERS);
  mkdirSync(folder, { recursive: true });
  const base = path.join(folder, fileNameOf(report.learner));
  writeWhole(`${base}.json`, json(report));
  writeWhole(`${base}.html`, learnerPage(report, exercises));
  if (format !== 'gradescope') return;
  // A broken machine is no zero: without the file Gradescope reports an error and no mark.
  if (report.verdict === 'error') rmSync(`${base}.results.json`, { force: true });
  else writeWhole(`${base}.results.json`, json(gradescopeResults([report])));
}

/** What is about all: grades.csv, grades.json, junit.xml, index.html; for Gradescope, which grades one learner, results.json. */
export function writeSummary(out: string, reports: readonly SubmissionReport[], format: ReportFormat): void {
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
  // As above: no file, no mark.
  if (format === 'gradescope' && reports.every(({ verdict }) => verdict !== 'error')) {
    writeWhole(path.join(out, 'results.json'), json(gradescopeResults(reports)));
  }
}
