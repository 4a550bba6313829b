import { describe, expect, it } from 'vitest';
import { consoleProgress } from '../../src/training/index.ts';

function run(isTTY: boolean, steps: number): string {
  let written = '';
  const progress = consoleProgress('training', { isTTY, write: (text) => (written += text) });
  for (let step = 1; step <= steps; step++) progress.report(step, steps, `loss ${step}`);
  progress.end();
  return written;
}

describe('progress on a console', () => {
  it('is a plain line for every tenth of the work where nobody watches', () => {
    const lines = run(false, 200).trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[0]).toMatch(/^training 20\/200 loss 20, \d+ s left$/);
    expect(lines[9]).toMatch(/^training 200\/200 loss 200/);
  });

  it('is one bar on a terminal, drawn over itself, full at the end and left on a line of its own', () => {
    const written = run(true, 200);
    expect(written.split('\n')).toHaveLength(2);
    expect(written.endsWith('\n')).toBe(true);
    const frames = written.trimEnd().split('\r\u001b[2K').slice(1);
    // Ten frames a second at most: 200 steps that take no time are drawn when they begin and when they end.
    expect(frames.length).toBeLessThan(12);
    expect(frames.at(-1)).toMatch(/^█{24} training 200\/200/);
  });
});
