/** Runs the cases on all peers, one at a time and in turn, so that what slows the machine slows all alike. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { BenchCase } from './cases.ts';

/** The name that PyTorch goes by in the results. */
export const REFERENCE = 'pytorch';

const answerSchema = z.union([
  z.object({ ms: z.number(), peak: z.number(), tensors: z.number().optional() }),
  z.object({ error: z.string() }),
]);
const readySchema = z.object({ ready: z.string() });

/** Milliseconds of a case on a peer, or why there are none. */
export type Measurement =
  | { median: number; least: number; repeats: number; peakMegabytes: number }
  | { error: string };

export interface BenchResult {
  /** Each peer and what it computes on. */
  peers: Record<string, string>;
  cases: { id: string; measurements: Record<string, Measurement> }[];
}

/** A process that measures a backend. */
export interface PeerOptions {
  /** What it is called in the results. */
  name: string;
  backend: string;
  /** The backend's own choice unless given. */
  threads?: number | undefined;
}

export interface BenchOptions {
  cases: readonly BenchCase[];
  peers: readonly PeerOptions[];
  /** A Python with torch and transformers; without it there is no reference and no ratio. */
  python?: string | undefined;
  /** What PyTorch computes on. */
  pythonDevice?: 'cpu' | 'cuda';
  repeats: number;
  report: (line: string) => void;
}

export async function runBench({
  cases,
  peers: wanted,
  python,
  pythonDevice = 'cpu',
  repeats,
  report,
}: BenchOptions): Promise<BenchResult> {
  const started: Peer[] = [];
  try {
    const peers = wanted.map(({ name, backend, threads }) => {
      const environment = threads === undefined ? {} : { LLM_LAB_THREADS: String(threads) };
      return new Peer(name, process.execPath, [program('peer.ts'), backend], environment);
    });
    if (python !== undefined)
      peers.push(new Peer(REFERENCE, python, [program('pytorch_peer.py'), pythonDevice]));
    started.push(...peers);
    const result: BenchResult = { peers: {}, cases: [] };
    for (const peer of peers) result.peers[peer.name] = readySchema.parse(await peer.answer()).ready;
    for (const [i, bench] of cases.entries()) {
      const measurements = await measureCase(bench, peers, repeats);
      result.cases.push({ id: bench.id, measurements });
      report(`${i + 1}/${cases.length} ${bench.id}: ${summary(measurements)}`);
    }
    return result;
  } finally {
    for (const peer of started) peer.stop();
  }
}

async function measureCase(
  bench: BenchCase,
  peers: readonly Peer[],
  repeats: number,
): Promise<Record<string, Measurement>> {
  const times = new Map<Peer, number[]>(peers.map((peer) => [peer, []]));
  const result: Record<string, Measurement> = {};
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [peer, taken] of times) {
      const answer = answerSchema.parse(await peer.ask(bench));
      if ('error' in answer) {
        result[peer.name] = answer;
        times.delete(peer);
        continue;
      }
      taken.push(answer.ms);
      const sorted = taken.toSorted((a, b) => a - b);
      const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
      const [least = Number.NaN] = sorted;
      result[peer.name] = { median, least, repeats: taken.length, peakMegabytes: answer.peak };
    }
  }
  return result;
}

function summary(measurements: Record<string, Measurement>): string {
  return Object.entries(measurements)
    .map(([name, m]) => `${name} ${'error' in m ? `failed (${m.error})` : `${m.median.toFixed(1)} ms`}`)
    .join(', ');
}

function program(file: string): string {
  return fileURLToPath(new URL(`./${file}`, import.meta.url));
}

/** A process that answers each line with a line. */
class Peer {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #said = '';

  constructor(name: string, command: string, args: string[], environment: Record<string, string> = {}) {
    this.name = name;
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#said = (this.#said + bytes.toString()).slice(-2000);
    });
    this.#child.on('error', () => undefined); // the missing answer tells
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the peer has no output');
    const lines: Interface = createInterface({ input: stdout });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async ask(bench: BenchCase): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(bench)}\n`);
    return this.answer();
  }

  async answer(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done === true) {
      const last = this.#said.trim().split('\n').at(-1) ?? '';
      throw new InputError(`bench: the program that measures ${this.name} ended without an answer: ${last}`);
    }
    return JSON.parse(value);
  }

  stop(): void {
    this.#child.kill();
  }
}
