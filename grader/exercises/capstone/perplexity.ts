import { type Draw, defineExercise, deterministic, inputsUnchanged } from '../../define.ts';

/** Losses of the scored tokens, a list for each window, in nats; the text. */
type Args = [number[][], string];

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

function figures(loss: number, totalNats: number, bytes: number, base = Math.E, unit = Math.LN2) {
  return { loss, perplexity: base ** loss, bitsPerByte: totalNats / unit / bytes };
}

/** Measuring by the rules given: what the mutants vary. */
function measure(
  [windows, text]: Args,
  {
    average = (all: number[][]) => mean(all.flat()),
    size = (written: string, _tokens: number) => new TextEncoder().encode(written).length,
    base = Math.E,
    unit = Math.LN2,
  } = {},
) {
  const all = windows.flat();
  return figures(average(windows), sum(all), size(text, all.length), base, unit);
}

/** Windows of unequal lengths and losses, a text with letters of two and three bytes. */
function inputs(draw: Draw, lengths: readonly number[]): Args {
  const windows = lengths.map((length, i) =>
    Array.from({ length }, () => (1 + i) * (0.05 + Math.abs(draw.rng.normal()))),
  );
  const letters: [string, ...string[]] = ['a', 'b', ' ', 'é', 'ö', '—', 'x'];
  const text = Array.from({ length: 3 * sum(lengths) }, () => draw.pick(letters)).join('');
  return [windows, `${text} é—`];
}

export default defineExercise<Args>({
  id: 'capstone/perplexity',
  title: 'Perplexity and bits per byte',
  points: 2,
  entry: 'measureText',
  difficulty: 2,
  minutes: 20,
  signature:
    'measureText(windows: number[][] /* losses of the scored tokens */, text: string): {loss: number; perplexity: number; bitsPerByte: number}',
  parameters: ['windows', 'text'],
  tolerance: {
    absolute: 1e-9,
    relative: 1e-9,
    reason: 'double precision; only the order of a sum may differ',
  },
  reference: (...args) => measure(args),
  variants: [
    {
      name: 'one running sum, base 2 throughout',
      implementation: (windows, text) => {
        let bits = 0;
        let count = 0;
        for (const window of windows) {
          for (const loss of window) bits += loss / Math.log(2);
          count += window.length;
        }
        return {
          loss: (bits / count) * Math.log(2),
          perplexity: 2 ** (bits / count),
          bitsPerByte: bits / Buffer.byteLength(text),
        };
      },
    },
  ],
  mutants: [
    {
      id: 'mean-of-means',
      diagnosis:
        'The windows are averaged first, so the tokens of a short window count more. Add up the losses of all tokens and divide once.',
      implementation: (...args) => measure(args, { average: (all) => mean(all.map(mean)) }),
    },
    {
      id: 'mean-of-perplexities',
      diagnosis:
        'The perplexity is the mean of perplexities. The mean is taken of the losses; the exponential comes last, once.',
      implementation: (...args) => ({
        ...measure(args),
        perplexity: mean(args[0].map((window) => Math.exp(mean(window)))),
      }),
    },
    {
      id: 'mean-of-exponentials',
      diagnosis:
        'Each loss is raised to an exponential before the mean. A single hard token then decides the result: take the mean first.',
      implementation: (...args) => ({ ...measure(args), perplexity: mean(args[0].flat().map(Math.exp)) }),
    },
    {
      id: 'base-two',
      diagnosis:
        'The perplexity is 2 to the loss. The losses are in nats (natural logarithm): e to the loss.',
      implementation: (...args) => measure(args, { base: 2 }),
    },
    {
      id: 'nats-per-byte',
      diagnosis: 'bitsPerByte is in nats. Divide by ln 2: one bit is ln 2 = 0.693 nats.',
      implementation: (...args) => measure(args, { unit: 1 }),
    },
    {
      id: 'bits-per-token',
      diagnosis:
        'bitsPerByte is divided by the number of tokens. Divide by the bytes of the text: then tokenizers do not matter.',
      implementation: (...args) => measure(args, { size: (_, tokens) => tokens }),
    },
    {
      id: 'bits-per-character',
      diagnosis: 'The characters are counted. A byte is meant: "é" has two in UTF-8. TextEncoder gives them.',
      implementation: (...args) => measure(args, { size: (text) => text.length }),
    },
    {
      id: 'mean-instead-of-sum',
      diagnosis:
        'bitsPerByte uses the mean loss of a token. The bits of the whole text are the sum over its tokens; then divide by its bytes.',
      implementation: (...args) => {
        const right = measure(args);
        return { ...right, bitsPerByte: right.bitsPerByte / args[0].flat().length };
      },
    },
  ],
  cases: [
    {
      name: 'three windows',
      visibility: 'public',
      inputs: () => [[[0.5, 1.5, 0.25, 1], [2, 0.5], [3]], 'Crème — fine.'],
    },
    { name: 'other windows', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, [9, 5, 5, 2]) },
    { name: 'windows of one token', visibility: 'hidden', inputs: (draw) => inputs(draw, [1, 4, 1]) },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'One sum serves both figures. What is it divided by in each case?',
    'total = sum of all losses (nats); loss = total / number of tokens; perplexity = exp(loss); bitsPerByte = total / ln 2 / bytes of the text in UTF-8.',
    'PPL = exp(−1/N Σ ln p(uₜ | u₀ … uₜ₋₁)) (Jurafsky and Martin, Speech and language processing, chapter on n-gram models); bits per byte = −1/(B·ln 2) Σ ln p (Gao et al., 2020, "The Pile", section 3.1).',
  ],
});
