import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { run } from '../../src/cli/jupyter/run.ts';
import { closingLine, SUMMARY_FILE, summarySchema } from '../../src/cli/testing/summary.ts';

test('counts passed, failed and skipped tests, and files that do not load', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'llm-lab-summary-'));
  const file = join(folder, 'summary.json');
  const suite = join(ROOT, 'tests/cli/fixtures/suite');
  const reporter = join(ROOT, 'src/cli/testing/summary-reporter.ts');
  const vitest = [
    join(ROOT, 'node_modules/vitest/vitest.mjs'),
    'run',
    `--root=${suite}`,
    `--reporter=${reporter}`,
  ];
  try {
    const { code } = await run([process.execPath, ...vitest], { cwd: suite, env: { [SUMMARY_FILE]: file } });
    expect(code).not.toBe(0);
    const summary = summarySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    expect(summary).toEqual({
      passed: 2,
      failed: 2,
      skipped: [
        { name: 'results.sample.ts > skips with a reason', reason: 'no moon' },
        { name: 'results.sample.ts > skips without', reason: 'no reason given' },
        { name: 'results.sample.ts > a group > is to do', reason: 'no reason given' },
      ],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the closing line names skipped tests only if there are any', () => {
  const skipped = [{ name: 'a', reason: 'b' }];
  expect(closingLine({ passed: 12, failed: 0, skipped: [] })).toBe('12 passed, 0 failed');
  expect(closingLine({ passed: 12, failed: 3, skipped })).toBe('12 passed, 3 failed, 1 skipped');
});
