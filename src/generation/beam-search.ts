/**
 * Beam search: the likeliest sequences found by keeping, at each step, the best few beginnings. It makes the choices of
 * transformers' `generate` one by one, so that the ids agree.
 */
import type { Decoding } from './decoding.ts';
import type { ResolvedOptions } from './options.ts';
import { logSoftmax, topIndices } from './scores.ts';

/** Stands for "no score yet", as in transformers: far below any sum of log-probabilities, yet finite. */
const NONE = -1e9;

interface Beam {
  tokens: readonly number[];
  /** Sum of log-probabilities while running; divided by the length penalty once finished. */
  score: number;
}

/** A possible next step of an input's beams. */
interface Candidate extends Beam {
  /** Row of the beam it continues. */
  row: number;
  ends: boolean;
}

/** The search of one input. */
interface Search {
  running: Beam[];
  /** The best finished ones so far, best first, at most `numBeams`. */
  finished: Beam[];
  /** False once no running beam can be expected to beat the finished ones. */
  improvable: boolean;
}

export type Process = (scores: Float32Array, tokens: readonly number[], row: number) => Float32Array;

/**
 * The best `numReturnSequences` sequences for each prompt, filled to one length.
 * @param prompts decoder tokens each search begins with, of equal length
 * @param process changes the log-probabilities of a next token; `row` is the input's number
 */
export async function beamSearch(
  decoding: Decoding,
  prompts: readonly (readonly number[])[],
  options: ResolvedOptions,
  process: Process,
): Promise<number[][]> {
  const promptLength = prompts[0]?.length ?? 0;
  let searches = prompts.map(
    (tokens): Search => ({ running: [{ tokens, score: 0 }], finished: [], improvable: true }),
  );
  for (let length = promptLength; ; length++) {
    const beams = searches.flatMap((search, input) => search.running.map((beam) => ({ ...beam, input })));
    const scores = await decoding.next(beams.map(({ tokens }) => tokens));
    const logProbabilities = beams.map(({ tokens, input }, row) =>
      process(logSoftmax(scores[row] ?? new Float32Array()), tokens, input),
    );
    let row = 0;
    const rows: number[] = [];
    const steps = searches.map((search) => {
      const from = row;
      row += search.running.length;
      const candidates = bestCandidates(search.running, logProbabilities.slice(from, row), options);
      const kept = continued(candidates, options.numBeams);
      rows.push(...kept.map((candidate) => from + candidate.row));
      return { search, candidates, kept };
    });
    searches = steps.map(({ search, candidates, kept }) =>
      advanced(search, candidates, kept, { length: length + 1 - promptLength, promptLength, options }),
    );
    const allEnd = steps.every(({ candidates }) => candidates.every(({ ends }) => ends));
    if (allEnd || isDone(searches, options)) break;
    decoding.reorder(rows);
  }
  return filled(
    searches.flatMap(({ finished }) => finished.slice(0, options.numReturnSequences)),
    options,
  );
}

/**
 * The best continuations over all beams. More than `numBeams` are kept, so that enough go on when some end: one set for
 * each end token, and one more.
 */
function bestCandidates(running: Beam[], scores: Float32Array[], options: ResolvedOptions): Candidate[] {
  const vocabulary = scores[0]?.length ?? 0;
  const sums = new Float32Array(running.length * vocabulary);
  for (const [row, beam] of running.entries()) {
    const next = scores[row] ?? new Float32Array();
    for (let token = 0; token < vocabulary; token++) {
      sums[row * vocabulary + token] = (next[token] ?? 0) + beam.score;
    }
  }
  const wanted = Math.max(2, 1 + options.eosTokenIds.length) * options.numBeams;
  return topIndices(sums, wanted).map((index) => {
    const row = Math.floor(index / vocabulary);
    const token = index % vocabulary;
    const tokens = [...(running[row]?.tokens ?? []), token];
    const ends = options.eosTokenIds.includes(token) || tokens.length >= options.maxLength;
    return { tokens, score: sums[index] ?? NONE, row, ends };
  });
}

/** The beams that run on: the best that have not ended, then, at the maximum length, ended ones to fill the number. */
function continued(candidates: Candidate[], numBeams: number): Candidate[] {
  const going = candidates.filter(({ ends }) => !ends);
  const ended = candidates
    .filter(({ ends }) => ends)
    .map((candidate) => ({ ...candidate, score: candidate.score + NONE }));
  return [...going, ...ended].slice(0, numBeams);
}

function advanced(
  search: Search,
  candidates: Candidate[],
  running: Beam[],
  step: { length: number; promptLength: number; options: ResolvedOptions },
): Search {
  const { numBeams, lengthPenalty, earlyStopping, maxLength } = step.options;
  const full = earlyStopping === true && search.finished.length === numBeams;
  const closed = full || !search.improvable;
  // Only what is among the best `numBeams` may finish: the others are there to keep the search going.
  const ended = closed ? [] : candidates.slice(0, numBeams).filter(({ ends }) => ends);
  const scored = ended.map(({ tokens, score }) => ({ tokens, score: score / step.length ** lengthPenalty }));
  const finished = [...search.finished, ...scored].sort((a, b) => b.score - a.score).slice(0, numBeams);
  return { running, finished, improvable: search.improvable && canImprove() };

  /** Whether the best running beam, at the length that would flatter it most, beats the worst finished one. */
  function canImprove(): boolean {
    const flattering =
      earlyStopping === 'never' && lengthPenalty > 0 ? maxLength - step.promptLength : step.length;
    const best = (running[0]?.score ?? NONE) / flattering ** lengthPenalty;
    const worst = finished.length < numBeams ? NONE : (finished.at(-1)?.score ?? NONE);
    return best > worst;
  }
}

function isDone(searches: Search[], options: ResolvedOptions): boolean {
  const full = searches.every(({ finished }) => finished.length === options.numBeams);
  return searches.every(({ improvable }) => !improvable) || (full && options.earlyStopping === true);
}

/** Sequences of one length. What fills them is the padding token, or the end token where that is 0 (as transformers has it). */
function filled(beams: Beam[], options: ResolvedOptions): number[][] {
  const longest = Math.max(...beams.map(({ tokens }) => tokens.length));
  const [eos] = options.eosTokenIds;
  const filler = eos === undefined ? -1 : options.padTokenId || eos;
  return beams.map(({ tokens }) => [...tokens, ...new Array<number>(longest - tokens.length).fill(filler)]);
}
