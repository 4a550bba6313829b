import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Span = [start: number, length: number];
type Args = [number[], Span[], number];

interface Rules {
  sentinel?: (k: number) => number;
  final?: boolean;
  /** of the target: what a span leaves there */
  target?: (sentinel: number, words: number[]) => number[];
  /** of the input: what stands in the place of a span */
  gap?: (sentinel: number, length: number) => number[];
}

/** Walks over the spans, which are in order and do not touch. */
function corrupt([ids, spans, first]: Args, rules: Rules = {}): { inputIds: number[]; labels: number[] } {
  const { sentinel = (k) => first - k, final = true } = rules;
  const { target = (mark, words) => [mark, ...words], gap = (mark) => [mark] } = rules;
  const inputIds: number[] = [];
  const labels: number[] = [];
  let at = 0;
  for (const [k, [start, length]] of spans.entries()) {
    inputIds.push(...ids.slice(at, start), ...gap(sentinel(k), length));
    labels.push(...target(sentinel(k), ids.slice(start, start + length)));
    at = start + length;
  }
  inputIds.push(...ids.slice(at));
  if (final) labels.push(sentinel(spans.length));
  return { inputIds, labels };
}

/** Spans of one to four tokens, with at least one token between two, of a text that ends in kept tokens. */
function inputs(draw: Draw, count: number): Args {
  const spans: Span[] = [];
  let at = 2;
  for (let k = 0; k < count; k++) {
    const length = k === 0 ? 3 : 1 + draw.rng.integer(4);
    spans.push([at, length]);
    at += length + 1 + draw.rng.integer(5);
  }
  return [Array.from({ length: at + 3 }, () => 3 + draw.rng.integer(60)), spans, 90 + draw.rng.integer(20)];
}

export default defineExercise<Args>({
  id: 't5/corrupt-spans',
  title: 'Span corruption',
  points: 2,
  entry: 'corruptSpans',
  difficulty: 3,
  minutes: 25,
  signature:
    'corruptSpans(ids: number[], spans: [start: number, length: number][] /* in order */, firstSentinel: number): {inputIds: number[]; labels: number[]}',
  parameters: ['ids', 'spans', 'firstSentinel'],
  tolerance: EXACT,
  reference: (...args) => corrupt(args),
  variants: [
    {
      name: 'token by token',
      implementation: (ids, spans, first) => {
        const inputIds: number[] = [];
        const labels: number[] = [];
        for (const [i, id] of ids.entries()) {
          const k = spans.findIndex(([start, length]) => i >= start && i < start + length);
          if (k === -1) inputIds.push(id);
          else {
            if (spans[k]?.[0] === i) {
              inputIds.push(first - k);
              labels.push(first - k);
            }
            labels.push(id);
          }
        }
        return { inputIds, labels: [...labels, first - spans.length] };
      },
    },
  ],
  mutants: [
    {
      id: 'one-sentinel-per-token',
      diagnosis:
        'The input has a sentinel for every token that was taken out. One sentinel stands for a whole span: that shortens the input, and does not give away how many tokens are missing.',
      implementation: (...args) =>
        corrupt(args, { gap: (mark, length) => Array.from({ length }, () => mark) }),
    },
    {
      id: 'a-new-sentinel-per-token',
      diagnosis:
        'Every token that was taken out has a sentinel of its own. One sentinel stands for a whole span, however long.',
      implementation: (ids, spans, first) =>
        corrupt([
          ids,
          spans.flatMap(([start, length]) => Array.from({ length }, (_, i): Span => [start + i, 1])),
          first,
        ]),
    },
    {
      id: 'final-sentinel-missing',
      diagnosis:
        'The target ends without a sentinel. One more, the next after the last span, says that nothing follows.',
      implementation: (...args) => corrupt(args, { final: false }),
    },
    {
      id: 'counting-up',
      diagnosis:
        'The sentinels count up. T5 put them at the end of the vocabulary, counted from behind: the next is one less.',
      implementation: (...args) => corrupt(args, { sentinel: (k) => args[2] + k }),
    },
    {
      id: 'same-sentinel',
      diagnosis:
        'All spans have the same sentinel, so nobody can tell which words belong where. Count down by one for each span.',
      implementation: (...args) => corrupt(args, { sentinel: () => args[2] }),
    },
    {
      id: 'whole-text-as-target',
      diagnosis: 'The target is the whole text. T5 writes only what is missing, which is much shorter.',
      implementation: (...args) => ({ ...corrupt(args), labels: [...args[0]] }),
    },
    {
      id: 'sentinel-behind-the-span',
      diagnosis:
        'In the target the sentinel stands behind its words. It comes first: it announces which gap is filled next.',
      implementation: (...args) => corrupt(args, { target: (mark, words) => [...words, mark] }),
    },
    {
      id: 'spans-deleted',
      diagnosis: 'The spans leave no trace in the input. Put a sentinel in the place of each.',
      implementation: (...args) => corrupt(args, { gap: () => [] }),
    },
    {
      id: 'target-without-sentinels',
      diagnosis: 'The words of the target are not separated. Each span begins with its sentinel.',
      implementation: (...args) => corrupt(args, { target: (_, words) => words }),
    },
  ],
  cases: [
    {
      name: 'ten tokens, two spans',
      visibility: 'public',
      inputs: () => [
        [11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
        [
          [2, 3],
          [8, 1],
        ],
        99,
      ],
    },
    {
      name: 'spans at both ends',
      visibility: 'public',
      inputs: () => [
        [31, 32, 33, 34, 35, 36],
        [
          [0, 2],
          [5, 1],
        ],
        50,
      ],
    },
    { name: 'four spans', visibility: 'hidden', inputs: (draw) => inputs(draw, 4) },
    { name: 'many spans', visibility: 'hidden', inputs: (draw) => inputs(draw, 9) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Every token goes to exactly one side. What else goes to both?',
    'For span k, with the sentinel firstSentinel − k: the input gets the kept tokens before it, then the sentinel; the target gets the sentinel, then the tokens of the span. Behind the last span: the rest to the input, one more sentinel to the target.',
    '“Thank you <X> me to your party <Y> week.” → “<X> for inviting <Y> last <Z>”. Raffel et al., 2020, section 3.1.4 and figure 2.',
  ],
});
