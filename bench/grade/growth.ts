/** Whether the grader's process grows with the number of submissions: many small ones are graded, and its memory is looked at in between. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import { gradeAll } from '../../grader/batch.ts';
import { serializeNotebook } from '../../src/notebook/ipynb.ts';
import { COURSE, tinyNotebook } from '../../tests/grader/notebooks.ts';

/** What learners hand in, in turn: right, wrong in a known and in an unknown way, an error, the wrong shape, a large answer. */
const ANSWERS: readonly Readonly<Record<string, string>>[] = [
  {},
  {
    'bert/pooler':
      'const bertPooler = (params, hidden) => tf.tidy(() => linear(params.dense, tf.squeeze(tf.slice(hidden, [0, 0, 0], [-1, 1, -1]), [1])));',
  },
  { 'bert/pooler': 'const bertPooler = (params, hidden) => tf.mul(hidden.mean(1), 3);' },
  { 'bert/pooler': 'const bertPooler = () => { throw new Error("not yet"); };' },
  { 'bert/pooler': 'const bertPooler = (params, hidden) => hidden;' },
  { 'bert/pooler': 'const bertPooler = () => tf.zeros([64, 64]);' },
];

export interface Sample {
  readonly submissions: number;
  /** Heap and buffers after a collection. */
  readonly bytes: number;
  readonly tensors: number;
}

export interface Growth {
  readonly samples: readonly Sample[];
  /**
   * From the least of the first half to the least of the second: what is being graded at the moment, and garbage not yet found, only add.
   */
  readonly bytesPerSubmission: number;
  readonly passed: number;
  readonly seconds: number;
}

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

function look(submissions: number): Sample {
  if (typeof collect !== 'function') throw new Error('garbage cannot be collected here');
  collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { submissions, bytes: heapUsed + external + arrayBuffers, tensors: tf.memory().numTensors };
}

/** Grades so many submissions with one exercise each, and looks at the memory after every `every`. */
export async function measureGrowth(
  count: number,
  every: number,
  jobs: number,
  onSample: (sample: Sample) => void = () => {},
): Promise<Growth> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lab-growth-'));
  const source = path.join(folder, 'in');
  mkdirSync(source);
  for (let i = 0; i < count; i++) {
    const notebook = await tinyNotebook('solved', ANSWERS[i % ANSWERS.length]);
    writeFileSync(path.join(source, `learner-${i}.ipynb`), serializeNotebook(notebook));
  }
  const samples: Sample[] = [];
  const started = performance.now();
  try {
    const reports = await gradeAll({
      source,
      out: path.join(folder, 'out'),
      masters: COURSE,
      jobs,
      timeoutMs: 60_000,
      memoryMb: 1024,
      resume: false,
      format: 'all',
      only: ['bert/pooler'],
      seed: 'growth',
      onReport: (_, done) => {
        if (done % every !== 0) return;
        const sample = look(done);
        samples.push(sample);
        onSample(sample);
      },
    });
    return {
      samples,
      bytesPerSubmission: growth(samples),
      passed: reports.filter(({ verdict }) => verdict === 'pass').length,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function growth(samples: readonly Sample[]): number {
  const half = Math.floor(samples.length / 2);
  const least = (some: readonly Sample[]): Sample => some.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  const [before, after] = [least(samples.slice(0, half)), least(samples.slice(half))];
  return (after.bytes - before.bytes) / (after.submissions - before.submissions);
}
