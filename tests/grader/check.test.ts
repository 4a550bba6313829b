import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startJudgeBackend } from '../../grader/backend.ts';
import { findExercise } from '../../grader/discover.ts';
import { check } from '../../src/notebook/check.ts';

const DISPLAY = Symbol.for('llm-lab.display');

describe('check in a cell', () => {
  beforeAll(startJudgeBackend);
  afterEach(() => Reflect.deleteProperty(globalThis, DISPLAY));

  const implementation = async (id: string): Promise<(...args: unknown[]) => unknown> => {
    const exercise = await findExercise('bert/pooler');
    const found = [exercise.reference, exercise.stub, ...exercise.mutants].find((one) => one.id === id);
    return (...args) => found?.answer(...args);
  };

  it('passes a right answer and says that hidden cases remain', async () => {
    const result = await check('bert/pooler', await implementation('reference'));
    expect(result.passed).toBe(true);
    expect(result.text).toContain('1 hidden case with other sizes and values remains');
  });

  it('names the mistake of a wrong answer, with the first wrong element, expected and got', async () => {
    const result = await check('bert/pooler', await implementation('no-tanh'));
    expect(result.passed).toBe(false);
    expect(result.text).toContain('The tanh is missing');
    expect(result.text).toMatch(/first wrong: \[0, \d\] expected -?\d.*, got -?\d/);
    expect(result.html).toContain('<svg');
  });

  it('does not throw for an empty answer, an unknown exercise or something that is no function, unless asked', async () => {
    expect((await check('bert/pooler', await implementation('stub'))).text).toContain(
      'bertPooler is not written yet',
    );
    expect((await check('bert/puler', () => 0)).text).toContain("no exercise 'bert/puler'");
    expect((await check('bert/pooler', 3)).text).toContain('needs the function bertPooler, got number');
    await expect(check('bert/pooler', () => 0, { stop: true })).rejects.toThrow('float32 tensor');
  });

  it('shows the feedback through the kernel and leaves nothing more to show as the value of the cell', async () => {
    const shown: unknown[] = [];
    Reflect.set(globalThis, DISPLAY, (bundle: unknown) => shown.push(bundle));
    const result = await check('bert/pooler', await implementation('mean-pooling'));
    expect(shown).toEqual([{ 'text/html': result.html, 'text/plain': result.text }]);
    const display: unknown = Reflect.get(result, Symbol.for('Jupyter.display'));
    expect(typeof display === 'function' && Reflect.apply(display, result, [])).toEqual({});
  });

  it('works again after an answer that never settled and was interrupted', async () => {
    void check('bert/pooler', () => new Promise(() => {}));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await check('bert/pooler', await implementation('reference'))).passed).toBe(true);
  });

  it('leaves no tensor behind, whatever the answer does', async () => {
    await check('bert/pooler', await implementation('reference'));
    const before = tf.memory().numTensors;
    for (const id of ['reference', 'no-tanh', 'stub']) await check('bert/pooler', await implementation(id));
    await check('bert/pooler', (_: unknown, states: tf.Tensor) => tf.add(states, tf.add(states, 1)));
    expect(tf.memory().numTensors).toBe(before);
  });
});
