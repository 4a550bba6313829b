/** `check` in a cell: the public cases of an exercise, run here and now, with feedback a beginner can act on. */
import * as tf from '@tensorflow/tfjs-core';
import type { Judgement } from '../../grader/judgement.ts';
import { messageOf } from '../errors.ts';
import type { MimeBundle } from '../plots/chart.ts';
import { escapeMarkup } from '../plots/text.ts';

export interface CheckResult {
  /** Whether every public check passed. */
  readonly passed: boolean;
  /** The feedback as text. */
  readonly text: string;
  /** The feedback as HTML. */
  readonly html: string;
  /** Every check by itself; absent if the check could not be run. */
  readonly judgement?: Judgement;
}

export interface CheckOptions {
  /** Throw if the check fails, so that the notebook stops here. */
  readonly stop?: boolean;
}

/** A library's display hook, installed by the kernel before the first cell. */
const DISPLAY = Symbol.for('llm-lab.display');
const JUPYTER_DISPLAY = Symbol.for('Jupyter.display');

/**
 * Runs the public cases of an exercise on a function and shows what passed and what did not: shapes, the first wrong element, expected
 * and got, and the known mistake behind it. Hidden cases remain for the grader. Never throws, unless `stop` is set.
 *
 *     await check('bert/embeddings', bertEmbeddings);
 */
export async function check(id: string, answer: unknown, options: CheckOptions = {}): Promise<CheckResult> {
  const result = await run(id, answer);
  const shown = show({ 'text/html': result.html, 'text/plain': result.text });
  if (options.stop === true && !result.passed) throw new Error(result.text);
  // Shown already where the kernel can: then the cell's value has nothing more to show.
  return Object.defineProperty(result, JUPYTER_DISPLAY, {
    value: (): MimeBundle => (shown ? {} : { 'text/html': result.html, 'text/plain': result.text }),
  });
}

async function run(id: string, answer: unknown): Promise<CheckResult> {
  try {
    // Loaded on use: who only imports the library pays nothing for the exercises.
    const [{ findExercise }, { judge }, { forgetPending, localCandidate }, feedback] = await Promise.all([
      import('../../grader/discover.ts'),
      import('../../grader/judge.ts'),
      import('../../grader/evaluate.ts'),
      import('../../grader/report/feedback.ts'),
    ]);
    forgetPending();
    const exercise = await findExercise(id);
    if (typeof answer !== 'function') {
      return plain(
        `check('${id}', …) needs the function ${exercise.entry}, got ${answer === null ? 'null' : typeof answer}.`,
      );
    }
    if (tf.engine().backend === null)
      return plain('No backend is running: run the cell with startBackend() first.');
    const call = (...args: unknown[]): unknown => Reflect.apply(answer, undefined, args);
    const judgement = await judge(exercise, localCandidate({ answer: call }), {
      seed: 'check',
      include: 'public',
    });
    const told = await tellRoom(judgement, answer);
    const note = told === undefined ? '' : `<p style="opacity:.75">${escapeMarkup(told)}</p>`;
    return {
      passed: judgement.verdict === 'pass',
      text: [
        feedback.judgementText(judgement, { mode: 'check' }),
        ...(told === undefined ? [] : [told]),
      ].join('\n'),
      html: `${feedback.judgementHtml(judgement, { mode: 'check' })}${note}`,
      judgement,
    };
  } catch (error) {
    return plain(`The check '${id}' could not be run: ${messageOf(error)}`);
  }
}

/** Tells the workshop's room, if this lab has joined one, and says what was told. A room can never make a check fail. */
async function tellRoom(judgement: Judgement, answer: unknown): Promise<string | undefined> {
  try {
    const { reportCheck } = await import('../workshop/client/reporter.ts');
    return (await reportCheck(judgement, answer))?.text;
  } catch {
    return undefined;
  }
}

function plain(text: string): CheckResult {
  const escaped = escapeMarkup(text);
  return {
    passed: false,
    text: `✗ ${text}`,
    html: `<div style="border-left:4px solid #cf222e;padding:.4em .9em">✗ ${escaped}</div>`,
  };
}

function show(bundle: MimeBundle): boolean {
  const publish: unknown = Reflect.get(globalThis, DISPLAY);
  if (typeof publish !== 'function') return false;
  Reflect.apply(publish, undefined, [bundle]);
  return true;
}
