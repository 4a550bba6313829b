import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Window {
  /** first token shown */
  begin: number;
  /** after the last token shown */
  end: number;
  /** first token scored */
  scoreFrom: number;
}

/** Tokens of the text, of a window, of a step. */
type Args = [number, number, number];

/** Windows by the rules given: what the mutants vary. */
function windows(
  [length, size, stride]: Args,
  {
    first = 1,
    scoreFrom = (from: number, _begin: number) => from,
    begin = (end: number, _from: number) => Math.max(0, end - size),
    clip = (end: number) => Math.min(length, end),
  } = {},
): Window[] {
  const found: Window[] = [];
  let from = first;
  while (from < length) {
    const end = clip(found.length === 0 ? size : from + stride);
    const start = begin(end, from);
    found.push({ begin: start, end, scoreFrom: found.length === 0 ? first : scoreFrom(from, start) });
    from = end;
  }
  return found;
}

export default defineExercise<Args>({
  id: 'capstone/strided-windows',
  title: 'Windows over a long text',
  points: 3,
  entry: 'stridedWindows',
  difficulty: 3,
  minutes: 25,
  signature:
    'stridedWindows(length: number, window: number, stride: number /* less than window */): {begin: number; end: number /* after the last */; scoreFrom: number}[]',
  parameters: ['length', 'window', 'stride'],
  tolerance: EXACT,
  reference: (...args) => windows(args),
  variants: [
    {
      name: 'from the ends of the windows',
      implementation: (length, size, stride) => {
        if (length < 2) return [];
        const ends = [Math.min(size, length)];
        while ((ends.at(-1) ?? 0) < length) ends.push(Math.min(length, (ends.at(-1) ?? 0) + stride));
        return ends.map((end, i) => ({
          begin: i === 0 ? 0 : end - size,
          end,
          scoreFrom: ends[i - 1] ?? 1,
        }));
      },
    },
  ],
  mutants: [
    {
      id: 'context-scored-again',
      diagnosis:
        'Each window scores all of its tokens, so those in the overlap count twice, once with little context. Score only those that no window before has scored.',
      implementation: (...args) => windows(args, { scoreFrom: (_, begin) => begin + 1 }),
    },
    {
      id: 'no-overlap',
      diagnosis:
        'The windows do not overlap: each begins where the one before ended, and its first tokens have hardly any context. A window ends stride tokens after the one before.',
      implementation: (length, size, _) => windows([length, size, size], { begin: (_end, from) => from }),
    },
    {
      id: 'rest-dropped',
      diagnosis:
        'The tokens after the last full step are never scored. The last window is cut at the end of the text.',
      implementation: (...args) => {
        const [length, size, stride] = args;
        return windows(args).filter(
          ({ end }, i) => i === 0 || end < length || (length - size) % stride === 0,
        );
      },
    },
    {
      id: 'last-window-short',
      diagnosis:
        'The last window is shorter than the others although the text before it is long enough. Let it begin at its end − window: more context costs nothing.',
      implementation: (...args) =>
        windows(args, { begin: (_end, from) => (from === 1 ? 0 : Math.max(0, from + args[2] - args[1])) }),
    },
    {
      id: 'first-token-scored',
      diagnosis:
        'The first token of the text is scored. Nothing stands before it, so the model says nothing about it: begin with token 1.',
      implementation: (...args) => windows(args, { first: 0 }),
    },
    {
      id: 'beyond-the-end',
      diagnosis: 'The last window reaches beyond the text: its end must be at most length.',
      implementation: (...args) => windows(args, { clip: (end) => end }),
    },
    {
      id: 'one-token-scored-twice',
      diagnosis:
        'The last token of each window is scored again by the next one: end is the place after it, so the next scoreFrom is that end.',
      implementation: (...args) => windows(args, { scoreFrom: (from) => from - 1 }),
    },
  ],
  cases: [
    { name: '23 tokens, windows of 8, step 5', visibility: 'public', inputs: () => [23, 8, 5] },
    {
      name: 'a long text',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => {
        const size = 20 + draw.rng.integer(30);
        const stride = 4 + draw.rng.integer(size - 8);
        return [size + stride * (3 + draw.rng.integer(5)) + 1 + draw.rng.integer(stride - 1), size, stride];
      },
    },
    {
      name: 'a text shorter than a window',
      visibility: 'hidden',
      inputs: (draw: Draw) => [3 + draw.rng.integer(5), 9, 4],
    },
    { name: 'nothing to score', visibility: 'hidden', inputs: () => [1, 8, 3] },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'Keep one number: the first token not scored yet. Where does the window end that scores from there on?',
    'from = 1; while from < length: end = min(length, window at first, then from + stride); begin = max(0, end − window); push {begin, end, scoreFrom: from}; from = end.',
    'Every token t ≥ 1 has exactly one window with scoreFrom ≤ t < end. Baevski and Auli, 2019, "Adaptive input representations for neural language modeling", section 5.3, on the context that tokens get when windows overlap.',
  ],
});
