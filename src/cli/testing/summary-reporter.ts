/** A Vitest reporter that only counts; what a person reads comes from Vitest's own. */
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { SUMMARY_FILE, type Summary } from './summary.ts';

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env[SUMMARY_FILE];
    if (file) writeFileSync(file, JSON.stringify(summarize(modules, unhandled.length)));
  }
}

function summarize(modules: readonly TestModule[], unhandledErrors: number): Summary {
  // An error outside of any test (a rejection nobody awaited, a file that does not load) is a failure too.
  const summary: Summary = { passed: 0, failed: unhandledErrors, skipped: [] };
  for (const module of modules) {
    if (module.errors().length > 0) summary.failed++;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) summary.failed++;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') summary.passed++;
      else if (result.state === 'failed') summary.failed++;
      else {
        const reason = (result.state === 'skipped' && result.note) || 'no reason given';
        summary.skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, reason });
      }
    }
  }
  return summary;
}
