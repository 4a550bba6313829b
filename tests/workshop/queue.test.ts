import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SubmissionReport } from '../../grader/grade.ts';
import { databaseUrl, GradingQueue } from '../../src/workshop/queue/boss.ts';
import { patiently } from '../../src/workshop/queue/patience.ts';
import { createRun, followRun, sendRun } from '../../src/workshop/queue/runs.ts';
import { runWorker, type WorkerOptions } from '../../src/workshop/queue/worker.ts';
import { openStore, type Store } from '../../src/workshop/store/open.ts';
import { gradingResults } from '../../src/workshop/store/schema.ts';
import { reportOn, scoreOf } from './queue-reports.ts';
import { NO_SERVER, Postgres, serverPrograms } from './store-engines.ts';

const bytesOf = (name: string): Uint8Array => new TextEncoder().encode(`notebook of ${name}`);
const submissionsOf = (names: readonly string[]) =>
  names.map((learner) => ({ learner, file: `${learner}.ipynb`, read: async () => bytesOf(learner) }));
const names = (count: number, prefix = 'learner'): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${String(i).padStart(3, '0')}`);

it('says what it needs where there is no server', () => {
  expect(() => databaseUrl(undefined)).toThrow('a queue needs a PostgreSQL server');
});

if (serverPrograms() === undefined) {
  it('grades on several machines', ({ skip }) => skip(NO_SERVER));
} else describe('the queue', queueTests);

function queueTests(): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'llm-lab-queue-'));
  const workers = new Set<ChildProcess>();
  let postgres: Postgres;
  let url: string;
  let store: Store;

  beforeAll(async () => {
    postgres = await Postgres.start();
    url = await postgres.database();
    store = await openStore({ url });
  }, 600_000);
  afterAll(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    await store.close();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 120_000);

  const opened = async (retries?: { limit: number; delaySeconds: number }) => {
    const exercises = randomUUID().slice(0, 8);
    const queue = await GradingQueue.open(url, exercises, retries);
    const put = async (learners: readonly string[], more: { seed?: string; priority?: number } = {}) => {
      const settings = { exercises, timeoutMs: 1000, memoryMb: 512 };
      const run = await createRun(store, { submissions: submissionsOf(learners), settings, ...more });
      await sendRun(store, queue, run);
      return run;
    };
    const follow = (
      run: number,
      onReport: (report: SubmissionReport, done: number) => void = () => undefined,
    ) => followRun(store, queue, run, { onReport });
    const worker = (more: Partial<WorkerOptions> = {}) => {
      const stopping = new AbortController();
      const grade: WorkerOptions['grade'] = async (task, _, seed) => reportOn(task, seed);
      const done = runWorker({
        store,
        queue,
        name: 'here',
        jobs: 1,
        grade,
        signal: stopping.signal,
        ...more,
      });
      return { done, stop: () => stopping.abort() };
    };
    return { exercises, queue, put, follow, worker };
  };

  const start = (exercises: string, log: string, milliseconds = 200): ChildProcess => {
    const script = fileURLToPath(new URL('queue-worker-process.ts', import.meta.url));
    const worker = spawn(process.execPath, [script, url, exercises, '2', log, `${milliseconds}`], {
      stdio: 'inherit',
    });
    workers.add(worker);
    return worker;
  };
  const linesOf = (log: string): string[] => readFileSync(log, 'utf8').trimEnd().split('\n').filter(Boolean);
  const until = async (what: () => boolean): Promise<void> => {
    while (!what()) await sleep(50);
  };

  it('loses and doubles nothing when workers and the database are killed', { timeout: 600_000 }, async () => {
    const { exercises, queue, put, follow } = await opened();
    const log = path.join(folder, 'killed.log');
    writeFileSync(log, '');
    const learners = names(60);
    const run = await put(learners);
    // Sent twice, as after an answer that was lost.
    await sendRun(store, queue, run);
    const seen: string[] = [];
    const following = follow(run, ({ learner }) => seen.push(learner));
    const [first] = [start(exercises, log), start(exercises, log)];
    const ended = (count: number) => () =>
      linesOf(log).filter((line) => line.startsWith('end')).length >= count;
    await until(ended(8));
    first?.kill('SIGKILL');
    await until(ended(20));
    await postgres.halt('SIGQUIT');
    await sleep(1500);
    await postgres.run();
    start(exercises, log);
    const reports = await following;

    expect(reports.map(({ learner, score }) => [learner, score])).toEqual(
      learners.map((learner) => [learner, scoreOf(bytesOf(learner))]),
    );
    expect(seen.toSorted()).toEqual(learners);
    const results = await store.db.select({ worker: gradingResults.worker }).from(gradingResults);
    expect(results).toHaveLength(60);
    // What the killed one had in hand was begun again by another; nothing else was graded twice but what the crash cut off.
    const begun = Map.groupBy(
      linesOf(log).filter((line) => line.startsWith('begin')),
      (line) => line.split(' ')[2],
    );
    expect(begun.size).toBe(60);
    await patiently(() => queue.close());
  });

  it('grades nothing twice that was graded with the same exercises and seed', {
    timeout: 300_000,
  }, async () => {
    const { put, follow, worker, queue } = await opened();
    const graded: string[] = [];
    const running = worker({ onGraded: ({ learner }) => graded.push(learner) });
    await follow(await put(['ada', 'bob'], { seed: 's' }));
    await follow(await put(['ada', 'bob', 'eve'], { seed: 's' }));
    expect(graded.toSorted()).toEqual(['ada', 'bob', 'eve']);
    await follow(await put(['ada'], { seed: 'another' }));
    expect(graded).toHaveLength(4);
    running.stop();
    expect(await running.done).toBe(4);
    await queue.close();
  });

  it('tries again what the machine failed at, and gives up with an error, not with a zero', {
    timeout: 300_000,
  }, async () => {
    const { put, follow, worker, queue } = await opened({ limit: 2, delaySeconds: 0 });
    const tries = new Map<string, number>();
    const running = worker({
      grade: async (task, _, seed) => {
        const count = (tries.get(task.learner) ?? 0) + 1;
        tries.set(task.learner, count);
        if (task.learner === 'poison' || (task.learner === 'shaky' && count < 3))
          throw new Error('the disk is full');
        return reportOn(task, seed);
      },
    });
    const reports = await follow(await put(['fine', 'poison', 'shaky']));
    expect([...tries].toSorted()).toEqual([
      ['fine', 1],
      ['poison', 3],
      ['shaky', 3],
    ]);
    expect(reports.map(({ learner, verdict, score }) => [learner, verdict, score])).toEqual([
      ['fine', 'fail', scoreOf(bytesOf('fine'))],
      ['poison', 'error', null],
      ['shaky', 'fail', scoreOf(bytesOf('shaky'))],
    ]);
    expect(reports[1]?.notices[0]).toContain('the disk is full');
    running.stop();
    await running.done;
    await queue.close();
  });

  it('takes the more urgent run first', { timeout: 300_000 }, async () => {
    const { put, follow, worker, queue } = await opened();
    const order: string[] = [];
    const slow = await put(names(3, 'slow'));
    const urgent = await put(names(3, 'urgent'), { priority: 10 });
    const running = worker({ onGraded: ({ learner }) => order.push(learner.split('-')[0] ?? '') });
    await Promise.all([follow(slow), follow(urgent)]);
    expect(order).toEqual(['urgent', 'urgent', 'urgent', 'slow', 'slow', 'slow']);
    running.stop();
    await running.done;
    await queue.close();
  });

  it('finishes what it has in hand when it is asked to stop', { timeout: 300_000 }, async () => {
    const { exercises, put, follow, worker, queue } = await opened();
    const log = path.join(folder, 'graceful.log');
    writeFileSync(log, '');
    const run = await put(names(8, 'patient'));
    const child = start(exercises, log, 1500);
    await until(() => linesOf(log).length >= 2);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    const [begun, ended] = ['begin', 'end'].map(
      (word) => linesOf(log).filter((line) => line.startsWith(word)).length,
    );
    expect(begun).toBe(ended);
    const running = worker();
    const reports = await follow(run);
    expect(reports).toHaveLength(8);
    running.stop();
    // What the first one had finished is not graded again.
    expect(await running.done).toBe(8 - (ended ?? 0));
    await queue.close();
  });
}
