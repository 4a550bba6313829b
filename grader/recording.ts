/** What learners' code answered, kept so that a repaired exercise or a moved threshold can be judged again without running it. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { decodeValue, encodeValue } from './codec.ts';
import type { Candidate, Outcome } from './evaluate.ts';
import { fileNameOf } from './report/names.ts';
import type { Value } from './values.ts';

const FOLDER = 'answers';

/** Most bytes of answers kept of one learner; honest ones have some 100 KiB. What is beyond has to be run again to be regraded. */
const MAX_KEPT = 32 * 1024 * 1024;

const recorded = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('returned'),
    value: z.base64(),
    leaked: z.number(),
    changed: z.array(z.string()),
  }),
  z.object({ kind: z.literal('threw'), message: z.string() }),
  z.object({ kind: z.literal('stopped'), cause: z.enum(['timeout', 'memory', 'exit']), message: z.string() }),
]);
type Recorded = z.infer<typeof recorded>;
const tape = z.record(z.string(), recorded);

/** Asked for a call that the first run did not make: the inputs have changed since. */
export class NotRecorded extends Error {
  override readonly name = 'NotRecorded';
  constructor() {
    super(
      'no answer to these inputs is recorded, because they have changed since or the answer was too large: it has to be run again',
    );
  }
}

/** The answers of one learner, by exercise and question. */
export class Tape {
  readonly #calls: Map<string, Recorded>;
  #kept = 0;

  constructor(calls: Readonly<Record<string, Recorded>> = {}) {
    this.#calls = new Map(Object.entries(calls));
  }

  /** Passes questions on and keeps the answers. */
  recording(exercise: string, candidate: Candidate): Candidate {
    const keep = async (key: string, pending: Promise<Outcome>): Promise<Outcome> => {
      const outcome = await pending;
      if (outcome.kind !== 'returned') {
        this.#calls.set(key, outcome);
        return outcome;
      }
      const { leaked, changed } = outcome;
      const bytes = encodeValue(outcome.value);
      this.#kept += bytes.length;
      if (this.#kept <= MAX_KEPT) {
        const value = bytes.toString('base64');
        this.#calls.set(key, { kind: 'returned', value, leaked, changed: [...changed] });
      }
      return outcome;
    };
    return {
      call: (args) => keep(keyOf(exercise, 'call', args), candidate.call(args)),
      gradients: (args, parameters, seed) =>
        keep(keyOf(exercise, `gradients ${seed}`, args), candidate.gradients(args, parameters, seed)),
    };
  }

  /** Answers as the learner's code did. Rejects with `NotRecorded` for a question it was not asked. */
  replaying(exercise: string): Candidate {
    const find = async (key: string): Promise<Outcome> => {
      const found = this.#calls.get(key);
      if (found === undefined) throw new NotRecorded();
      return found.kind === 'returned'
        ? { ...found, value: decodeValue(Buffer.from(found.value, 'base64')) }
        : found;
    };
    return {
      call: (args) => find(keyOf(exercise, 'call', args)),
      gradients: (args, _parameters, seed) => find(keyOf(exercise, `gradients ${seed}`, args)),
    };
  }

  save(out: string, learner: string): void {
    const file = tapeFile(out, learner);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(`${file}.tmp`, gzipSync(JSON.stringify(Object.fromEntries(this.#calls))));
    renameSync(`${file}.tmp`, file);
  }

  /** The tape of an earlier run; empty if there is none. */
  static load(out: string, learner: string): Tape {
    const file = tapeFile(out, learner);
    return existsSync(file)
      ? new Tape(tape.parse(JSON.parse(gunzipSync(readFileSync(file)).toString())))
      : new Tape();
  }
}

const tapeFile = (out: string, learner: string): string =>
  path.join(out, FOLDER, `${fileNameOf(learner)}.json.gz`);

function keyOf(exercise: string, question: string, args: readonly Value[]): string {
  const hash = createHash('sha256').update(`${exercise}\n${question}\n`);
  return hash.update(encodeValue({ kind: 'list', items: args })).digest('base64url');
}
