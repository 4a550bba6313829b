import { afterEach, describe, expect, it, vi } from 'vitest';
import { liveLoss, progressBar, publish, quiz, show, table } from '../../src/notebook/index.ts';
import { JUPYTER_DISPLAY } from '../../src/plots/index.ts';

const HOOK = Symbol.for('llm-lab.display');

/** Stands for the lab's kernel: keeps what is shown. */
function kernel(): { bundle: Record<string, unknown>; placement?: { displayId: string; update: boolean } }[] {
  const shown: ReturnType<typeof kernel> = [];
  Reflect.set(
    globalThis,
    HOOK,
    (bundle: Record<string, unknown>, placement?: { displayId: string; update: boolean }) =>
      shown.push(placement === undefined ? { bundle } : { bundle, placement }),
  );
  return shown;
}

afterEach(() => {
  Reflect.deleteProperty(globalThis, HOOK);
  vi.restoreAllMocks();
});

describe('in the kernel', () => {
  it('a bundle arrives whole', () => {
    const shown = kernel();
    publish({ 'text/html': '<b>a</b>', 'text/plain': 'a' });
    expect(shown).toEqual([{ bundle: { 'text/html': '<b>a</b>', 'text/plain': 'a' } }]);
  });

  it('a live loss curve is one output, drawn again in its place, with a picture at the end', async () => {
    const shown = kernel();
    const live = liveLoss({ title: 'T', names: ['loss'], every: 0 });
    for (let step = 1; step <= 3; step++) live.add(step, { loss: 3 / step, other: 1 });
    await live.finish();
    expect(shown.map(({ placement }) => placement?.update)).toEqual([false, true, true, true]);
    expect(new Set(shown.map(({ placement }) => placement?.displayId)).size).toBe(1);
    expect(shown.at(-1)?.bundle['image/svg+xml']).toMatch(/^<svg/);
    expect(shown.at(-1)?.bundle['text/plain']).toContain('from 3 at step 1 to 1 at step 3');
  });

  it('does not draw more often than asked', () => {
    const shown = kernel();
    const live = liveLoss({ title: 'T', names: ['loss'], every: 60_000 });
    for (let step = 1; step <= 50; step++) live.add(step, { loss: 1 });
    expect(shown).toHaveLength(1);
  });

  it('a progress bar leaves one line', () => {
    const shown = kernel();
    const bar = progressBar('training');
    bar.report(1, 4, 'loss 2');
    bar.report(4, 4, 'loss 1');
    bar.end();
    expect(new Set(shown.map(({ placement }) => placement?.displayId)).size).toBe(1);
    expect(shown.at(-1)?.bundle['text/plain']).toMatch(/^training: 4 of 4 in \d+ s, loss 1$/);
    expect(shown[0]?.bundle['text/html']).toContain('<progress');
  });
});

describe('in plain Node', () => {
  it('the text is printed', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
    await show(
      table(
        [
          { word: 'grass', probability: 0.81234 },
          { word: 'hay', probability: 0.1 },
        ],
        'Blank',
      ),
    );
    expect(log.mock.calls).toEqual([['Blank\nword   probability\ngrass  0.8123\nhay    0.1']]);
  });

  it('a live chart is printed once, at its end', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
    const live = liveLoss({ title: 'T', names: ['loss'], every: 0 });
    live.add(1, { loss: 2 });
    live.add(2, { loss: 1 });
    await live.finish();
    expect(log).toHaveBeenCalledTimes(1);
  });
});

describe('a quiz', () => {
  const questions = [
    {
      ask: 'Is 1 < 2?',
      choices: [
        { text: 'yes', why: 'Count.', right: true },
        { text: 'no', why: 'Count again.' },
      ],
    },
  ];
  it('explains every choice without a script', async () => {
    const { 'text/html': html } = await quiz(questions)[JUPYTER_DISPLAY]();
    expect(html).toContain('Is 1 &#60; 2?');
    expect(html).toContain('✓ Right. Count.');
    expect(html).toContain('✗ Not quite. Count again.');
    expect(html).not.toContain('<script');
  });
  it('has one right choice a question', () => {
    expect(() => quiz([{ ask: 'x', choices: [{ text: 'a', why: 'b' }] }])).toThrow(
      'exactly one right choice',
    );
  });
});
