// The master of chapter 01. `npx lab notebooks` makes notebooks/01-scaling-laws.ipynb from it.

// %% [markdown]
// # 01 · Scaling laws: what a model costs and how good it gets
//
// A language model is trained to guess the next piece of a text, the next **token** (a word or a part of one). How well it guesses is measured by one number, the
// **loss**: the mean of $-\log p$, where $p$ is the probability that it gave to the piece that really came. It is
// counted in *nats* (natural logarithms); 0 would be perfect.
//
// In 2020, Kaplan and others found that the loss falls in a strikingly regular way as models, data and computing grow
// ([Scaling laws for neural language models](https://arxiv.org/abs/2001.08361)). That changed how models are made. One
// could now train small ones, draw a line, and say what a large one would be worth before paying for it. Two years
// later Hoffmann and others showed that the field had drawn the wrong conclusion from it, and had made its models too
// large for the data they were given ([Training compute-optimal large language
// models](https://arxiv.org/abs/2203.15556)).
//
// In this chapter you count what a model has and what it costs, fit such a law to models that **you** train, and find
// out how to spend a budget. You need chapter 0.
//
// | letter | what it counts |
// |---|---|
// | N | parameters: the numbers that training sets |
// | D | tokens trained on; in the shapes of a model, its width |
// | C | floating-point operations (FLOP) |
// | L | the loss; among a model's sizes, the number of layers |
//
// The double use of D and L is unlucky, but it is what the papers do. The text always says which is meant.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';
import { check, show } from 'llm-lab';

const backend = await lab.startBackend();
await show(`Computing on **${backend.name}**: ${backend.device}.`);

// %% [markdown]
// ## 1 · Counting parameters
//
// GPT-2 is a *decoder*, the kind of model that continues a text. You will build it in chapter 9; here we only count.
// From the bottom up: a table with a vector for each token and one for each position; $L$ layers, each with an
// *attention* part and a *feed-forward* part; a last norm; and a *head* that gives every token of the vocabulary, the list of all tokens it knows, a score.

// %%
await show(
  lab.architectureFigure({
    title: 'GPT-2, with what each part holds',
    rows: [
      [
        { label: 'token table', note: 'V · D', kind: 'data', shape: '[B, T, D]' },
        { label: 'position table', note: 'P · D', kind: 'data', shape: '[T, D]' },
      ],
      [{ label: 'layer norm', note: '2 · D', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'attention', note: '4 matrices D × D, 4 biases', shape: '[B, T, D]' }],
      [{ label: 'layer norm', note: '2 · D', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'feed-forward', note: 'D × F and F × D, 2 biases', shape: '[B, T, D]' }],
      [{ label: 'final layer norm', note: '2 · D', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'head', note: 'the token table again', kind: 'head', shape: '[B, T, V]' }],
      [{ label: 'loss', kind: 'loss' }],
    ],
    groups: [{ from: 1, to: 4, label: '× L layers' }],
    residuals: [
      { from: 1, to: 2 },
      { from: 3, to: 4 },
    ],
  }),
);

// %% [exercise] scaling/parameters difficulty=2 minutes=20
// ### Exercise: count the parameters of a decoder
//
// A linear layer from $a$ numbers to $b$ has $a \cdot b$ weights and $b$ biases. A layer norm over $D$ numbers has $D$
// gains and $D$ shifts. The head is the token table, used a second time.
//
// | | |
// |---|---|
// | `config` | `vocab_size` V, `n_positions` P, `n_embd` D, `n_layer` L, `n_inner` F |
// | result | a number; 124,439,808 for GPT-2 small |
// <!-- hint -->
// Walk through the model from the bottom up and write down each table, matrix, bias and norm. Which one is used twice?
// <!-- hint -->
// Tables $VD$ and $PD$; a layer: two norms of $2D$, attention $4(D^2 + D)$, feed-forward $DF + F$ and $FD + D$; a last
// norm of $2D$.
// <!-- hint -->
// $N = VD + PD + L\,(4D^2 + 2DF + 9D + F) + 2D$. (Radford et al., 2019, *Language models are unsupervised multitask
// learners*, table 2, gives rounded figures.)

// %% [answer] scaling/parameters
function parameterCount(config: {
  vocab_size: number;
  n_positions: number;
  n_embd: number;
  n_layer: number;
  n_inner: number;
}): number {
  // BEGIN SOLUTION
  const { vocab_size: V, n_positions: P, n_embd: D, n_layer: L, n_inner: F } = config;
  const linear = (from: number, to: number): number => from * to + to;
  const norm = 2 * D;
  const layer = norm + 4 * linear(D, D) + norm + linear(D, F) + linear(F, D);
  return V * D + P * D + L * layer + norm;
  // END SOLUTION
  //| throw new Error('parameterCount is not written yet');
}

// %%
await check('scaling/parameters', parameterCount);

// %% [markdown]
// The four sizes of GPT-2, counted by the library from the shapes of its tensors:

// %%
const gpt2Sizes = [
  { name: 'small', n_layer: 12, n_embd: 768, n_head: 12 },
  { name: 'medium', n_layer: 24, n_embd: 1024, n_head: 16 },
  { name: 'large', n_layer: 36, n_embd: 1280, n_head: 20 },
  { name: 'XL', n_layer: 48, n_embd: 1600, n_head: 25 },
];
const gpt2Config = ({ n_layer, n_embd, n_head }: (typeof gpt2Sizes)[number]) => ({
  model_type: 'gpt2',
  architectures: ['GPT2LMHeadModel'],
  vocab_size: 50257,
  n_positions: 1024,
  n_layer,
  n_embd,
  n_head,
});
await show(
  lab.table(
    gpt2Sizes.map((size) => {
      const { total, nonEmbedding } = lab.countModelParameters(gpt2Config(size));
      return {
        GPT2: size.name,
        layers: size.n_layer,
        width: size.n_embd,
        parameters: total.toLocaleString('en'),
        'without tables': nonEmbedding.toLocaleString('en'),
      };
    }),
  ),
);

// %% [markdown]
// ## 2 · Counting operations
//
// Nearly all work of a model is multiplying matrices. Each weight meets each token once: one multiplication and one
// addition, **2 operations**. The backward pass, which finds the gradients, makes two such products for each of the
// forward pass. That is 6 operations for each parameter and token, hence the rule of thumb
//
// $$C \approx 6\,N\,D$$
//
// (Kaplan et al., 2020, section 2.1). It leaves out the work of attention that touches no weight: every token is compared
// with every other, which costs $T^2$ and not $T$.

// %% [exercise] scaling/training-flops difficulty=3 minutes=25
// ### Exercise: what does training cost?
//
// Give the rule of thumb, and the exact count of all matrix products. In the forward pass of one sequence of $T$ tokens,
// each layer makes the products with its matrices ($4D^2 + 2DF$ weights), the scores of all pairs of tokens ($T^2 D$
// multiplications) and the weighted sums ($T^2 D$ again); after the last layer, the head compares each token with $V$
// rows of width $D$. Norms and other small things are left out.
//
// | | |
// |---|---|
// | `model` | `parameters` N, `layers` L, `width` D, `inner` F, `vocabulary` V |
// | `run` | `sequences`, and their `length` T |
// | result | `{approximate, exact}`, both for forward and backward pass |
// <!-- hint -->
// Each weight meets each token once in the forward pass. What does that make for one weight and one token, and what does
// the backward pass add?
// <!-- hint -->
// Multiplications of one sequence, forward: $L\,(T(4D^2 + 2DF) + 2T^2D) + TDV$. Each comes with an addition. Then all
// sequences, then forward and backward.
// <!-- hint -->
// approximate $= 6N \cdot \text{sequences} \cdot T$; exact $= 3 \cdot \text{sequences} \cdot 2\,[L\,(T(4D^2 + 2DF) +
// 2T^2D) + TDV]$. Kaplan et al. (2020), section 2.1 and table 1.

// %% [answer] scaling/training-flops
function trainingFlops(
  model: { parameters: number; layers: number; width: number; inner: number; vocabulary: number },
  run: { sequences: number; length: number },
): { approximate: number; exact: number } {
  // BEGIN SOLUTION
  const { parameters, layers, width: D, inner: F, vocabulary: V } = model;
  const { sequences, length: T } = run;
  const matrices = T * (4 * D * D + 2 * D * F);
  const attention = 2 * T * T * D;
  const forward = 2 * (layers * (matrices + attention) + T * D * V);
  return { approximate: 6 * parameters * sequences * T, exact: 3 * sequences * forward };
  // END SOLUTION
  //| throw new Error('trainingFlops is not written yet');
}

// %%
await check('scaling/training-flops', trainingFlops);

// %% [markdown]
// How large is the part of attention that the rule of thumb forgets? For GPT-2 small, it depends on the length of the
// text. (GPT-2 itself stops at 1024 tokens; we let the formula run on.)

// %%
const lengths = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];
const smallConfig = gpt2Config(gpt2Sizes[0] ?? { name: '', n_layer: 12, n_embd: 768, n_head: 12 });
await show(
  lab.lineChart(
    [
      {
        name: 'scores and weighted sums',
        points: lengths.map((length): [number, number] => {
          const { attentionScores, total } = lab.countForwardFlops(smallConfig, { length });
          return [length, (100 * attentionScores) / total];
        }),
      },
    ],
    {
      title: 'GPT-2 small: operations that touch no weight',
      x: 'tokens',
      y: '% of all',
      logX: true,
      marks: true,
    },
  ),
);

// %% [markdown]
// ## 3 · Your own law
//
// A **power law** is $y = c \cdot x^k$. Take logarithms, and it is a straight line: $\ln y = \ln c + k \ln x$. So on
// logarithmic axes one can see at a glance whether a law holds, and fit it with a ruler.

// %% [exercise] scaling/power-law difficulty=2 minutes=20
// ### Exercise: fit a power law
//
// Find the line that is nearest to the points, by least squares of the logarithms.
//
// | | |
// |---|---|
// | `x`, `y` | `number[]`, all above 0 |
// | result | `{exponent, constant}` with $y \approx \text{constant} \cdot x^{\text{exponent}}$ |
// <!-- hint -->
// What does $y = c\,x^k$ become when you take the logarithm of both sides?
// <!-- hint -->
// `u = ln x`, `v = ln y`, arrays of n. Their means; then the slope is a quotient of two sums, and the intercept follows
// from the means.
// <!-- hint -->
// slope $= \sum (u - \bar u)(v - \bar v) / \sum (u - \bar u)^2$, intercept $= \bar v - \text{slope} \cdot \bar u$ (least
// squares: Legendre, 1805); exponent = slope, constant $= e^{\text{intercept}}$. Laws of this form: Kaplan et al. (2020),
// equations 1.1 to 1.3.

// %% [answer] scaling/power-law
function powerLaw(x: number[], y: number[]): { exponent: number; constant: number } {
  // BEGIN SOLUTION
  const mean = (values: number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
  const u = x.map(Math.log);
  const v = y.map(Math.log);
  const [meanU, meanV] = [mean(u), mean(v)];
  const covariance = mean(u.map((one, i) => (one - meanU) * ((v[i] ?? 0) - meanV)));
  const exponent = covariance / mean(u.map((one) => (one - meanU) ** 2));
  return { exponent, constant: Math.exp(meanV - exponent * meanU) };
  // END SOLUTION
  //| throw new Error('powerLaw is not written yet');
}

// %%
await check('scaling/power-law', powerLaw);

// %% [markdown]
// Now the data. We train five small GPT-2s of one layer, each twice as wide as the one before, on the same stories for
// the same number of steps, and measure the loss on stories they have not seen. Wider models get a lower learning rate.
//
// In the code, `adamW` is the method that makes the updates: gradient descent with a step of its own for each number.
// `linearSchedule` raises the learning rate in the first tenth of the steps and then lowers it to 0.

// %%
const stories = await lab.loadStories();
const HELD_BACK = 120;
const LENGTH = 32;
const vocabulary = lab.trainWordPiece(stories.flat(), { vocabSize: 700, score: 'frequency' });
const tokenizer = lab.wordPieceTokenizer(vocabulary);

/** All stories one after the other, cut into rows of LENGTH tokens. */
const rowsOfTokens = (documents: string[][]): number[][] => {
  const stream = documents.flatMap((sentences) => tokenizer.encode(sentences.join(' ')).inputIds);
  const rows: number[][] = [];
  for (let start = 0; start + LENGTH <= stream.length; start += LENGTH) {
    rows.push(stream.slice(start, start + LENGTH));
  }
  return rows;
};
const trainingRows = rowsOfTokens(stories.slice(HELD_BACK));
const heldBackRows = rowsOfTokens(stories.slice(0, HELD_BACK));
await show(
  `${trainingRows.length} rows of ${LENGTH} tokens to train on, ${heldBackRows.length} held back; ` +
    `${vocabulary.tokens.length} tokens in the vocabulary.`,
);

// %%
const WIDTHS = [4, 8, 16, 32, 64];
const STEPS = lab.stepsFor(300, 30);
const BATCH = 16;
/** Answers of this many tokens are scored further below. */
const ANSWER = 5;

const matrix = (rows: number[][]): tf.Tensor2D => tf.tensor2d(rows, undefined, 'int32');
const liveLosses = lab.liveLoss({
  title: 'Five small models',
  names: WIDTHS.map((width) => `width ${width}`),
  level: { value: Math.log(vocabulary.tokens.length), name: 'guessing tokens' },
});

interface Trained {
  width: number;
  parameters: number;
  loss: number;
  /** log-probabilities of the last tokens of each held-back row [rows][ANSWER] */
  answers: number[][];
}
/** The configuration of a model of one layer. */
const fieldsOf = (width: number) => ({
  model_type: 'gpt2',
  architectures: ['GPT2LMHeadModel'],
  vocab_size: vocabulary.tokens.length,
  n_positions: LENGTH,
  n_embd: width,
  n_layer: 1,
  n_head: width < 16 ? 1 : 2,
  // Narrow vectors need larger first numbers: a sum of fewer terms is smaller.
  initializer_range: 0.5 / Math.sqrt(width),
});
const trainOne = async (width: number): Promise<Trained> => {
  const fields = fieldsOf(width);
  const config = lab.parseGpt2Config({ ...fields, embd_pdrop: 0, attn_pdrop: 0, resid_pdrop: 0 });
  const params = lab.trainable(lab.initParameters(lab.gptLMHeadWeights(config), lab.createRng('weights')));
  const optimizer = lab.adamW({ beta2: 0.98 });
  await lab.train({
    params,
    loss: (model, rows: number[][]) => {
      const inputIds = matrix(rows);
      const { loss } = lab.gptLMHeadModel(model, { inputIds, labels: inputIds }, config);
      return loss ?? tf.scalar(Number.NaN);
    },
    batches: (epoch) => {
      const random = lab.createRng('batches').fork(epoch);
      return Array.from({ length: 100 }, () =>
        Array.from({ length: BATCH }, () => trainingRows[random.integer(trainingRows.length)] ?? []),
      );
    },
    optimizer,
    schedule: lab.linearSchedule({
      peak: 0.03 / Math.sqrt(width),
      warmupSteps: Math.round(STEPS / 10),
      totalSteps: STEPS,
    }),
    clipNorm: 1,
    steps: STEPS,
    onStep: ({ step, loss }) => liveLosses.add(step, { [`width ${width}`]: loss }),
    progress: lab.progressBar(`width ${width}`),
  });
  optimizer.dispose();

  let total = 0;
  const answers: number[][] = [];
  for (let start = 0; start < heldBackRows.length; start += 32) {
    const rows = heldBackRows.slice(start, start + 32);
    const chosen = tf.tidy(() => {
      const inputIds = matrix(rows);
      const logs = tf.logSoftmax(lab.gptLMHeadModel(params, { inputIds }, config).logits); // [B, T, V]
      const before = tf.slice(logs, [0, 0, 0], [-1, LENGTH - 1, -1]); // position t scores the token at t + 1
      const next = tf.slice(inputIds, [0, 1], [-1, -1]); // [B, T − 1]
      const hot = tf.cast(tf.oneHot(next, vocabulary.tokens.length), 'float32');
      return tf.sum(tf.mul(before, hot), -1); // [B, T − 1]
    });
    for (const row of lab.rowsOf(await chosen.data(), LENGTH - 1)) {
      total -= row.reduce((sum, one) => sum + one, 0) / row.length;
      answers.push(row.slice(-ANSWER));
    }
    chosen.dispose();
  }
  lab.disposeParameters(params);
  const { nonEmbedding } = lab.countModelParameters(fields);
  return { width, parameters: nonEmbedding, loss: total / heldBackRows.length, answers };
};

const runs: Trained[] = [];
for (const width of WIDTHS) runs.push(await trainOne(width));
await liveLosses.finish();

// %% [markdown]
// And the law: loss on unseen stories against parameters, without the tables (as Kaplan et al. count). A fit is worth
// little without its uncertainty, so two are given.
//
// - The table says within which limits the **exponent** lies with 95% confidence, if the deviations from the line are
//   random.
// - The grey area is the **prediction interval**: where one more model of that size should fall, 19 times out of 20. It
//   widens to both sides, because a small error in the slope grows with the distance from the points.
//
// The formulas are those of every straight-line fit, applied to logarithms: with $n$ points, $s$ the spread of their
// deviations from the line and $t$ the quantile of Student's distribution with $n - 2$ degrees of freedom, the interval
// at $u = \ln N$ is
//
// $$\ln L(u) \pm t\,s\,\sqrt{1 + \frac1n + \frac{(u - \bar u)^2}{\sum_i (u_i - \bar u)^2}}$$
//
// (Draper and Smith, 1998, *Applied regression analysis*, section 3.1.)

// %%
const fit = lab.fitPowerLaw(runs.map(({ parameters, loss }) => ({ x: parameters, y: loss })));
/** Where a model of that many parameters should fall, with 95% confidence. */
const foresee = (parameters: number): { low: number; loss: number; high: number } => {
  const u = runs.map((run) => Math.log(run.parameters));
  const mean = u.reduce((sum, one) => sum + one, 0) / u.length;
  const spread = u.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  // The interval of the exponent reaches t·s/√spread to each side: that gives t·s.
  const deviation = (fit.exponentInterval.high - fit.exponent) * Math.sqrt(spread);
  const reach = deviation * Math.sqrt(1 + 1 / u.length + (Math.log(parameters) - mean) ** 2 / spread);
  const loss = fit.predict(parameters);
  return { low: loss * Math.exp(-reach), loss, high: loss * Math.exp(reach) };
};
const LARGER = 2 * (WIDTHS.at(-1) ?? 64);
const largerParameters = lab.countModelParameters(fieldsOf(LARGER)).nonEmbedding;
const smallest = runs[0]?.parameters ?? 1;
// A little beyond the points on both sides, so that none sits on the edge.
const drawnSizes = Array.from(
  { length: 25 },
  (_, i) => (smallest / 1.5) * ((2.25 * largerParameters) / smallest) ** (i / 24),
);
const lawChart = (larger: Trained | undefined): lab.Chart =>
  lab.lineChart(
    [
      { name: 'measured', points: runs.map(({ parameters, loss }): [number, number] => [parameters, loss]) },
      { name: 'fit', points: drawnSizes.map((size): [number, number] => [size, fit.predict(size)]) },
      ...(larger === undefined
        ? []
        : [
            {
              name: 'larger model, measured',
              points: [[larger.parameters, larger.loss]] as [number, number][],
            },
          ]),
    ],
    {
      title: 'Loss against parameters',
      x: 'parameters without tables',
      y: 'loss',
      logX: true,
      logY: true,
      marks: true,
      bands: [
        {
          name: '95% prediction interval',
          points: drawnSizes.map((size): [number, number, number] => {
            const { low, high } = foresee(size);
            return [size, low, high];
          }),
        },
      ],
    },
  );
await show(lawChart(undefined));
await show(
  lab.table(
    [
      {
        law: 'your five models',
        exponent: fit.exponent,
        from: fit.exponentInterval.low,
        to: fit.exponentInterval.high,
      },
      {
        law: 'Kaplan et al. (2020), equation 1.1',
        exponent: -lab.KAPLAN_LAWS.parameters.exponent,
        from: '',
        to: '',
      },
    ],
    'L = constant · N^exponent, with the 95% interval of the exponent',
  ),
);
await lab.whenSolved('scaling/power-law', powerLaw, async () => {
  const own = powerLaw(
    runs.map(({ parameters }) => parameters),
    runs.map(({ loss }) => loss),
  );
  await show(
    `Your own fit gives the exponent **${own.exponent.toFixed(4)}**, the library's **${fit.exponent.toFixed(4)}**.`,
  );
});

// %% [markdown]
// ### The test of a law
//
// A line through five points is no law yet. A law says what happens *next*. So we write the prediction down first, for a
// model twice as wide as the largest of the five, which the fit has not seen. Then we train that model and look.

// %%
const foreseen = foresee(largerParameters);
await show(
  `Foreseen for width ${LARGER}, ${largerParameters.toLocaleString('en')} parameters: a loss of **${foreseen.loss.toFixed(3)}**, ` +
    `between ${foreseen.low.toFixed(3)} and ${foreseen.high.toFixed(3)}.`,
);
const larger = await trainOne(LARGER);
const inside = larger.loss >= foreseen.low && larger.loss <= foreseen.high;
const offBy = larger.loss / foreseen.loss - 1;
await show(lawChart(larger));
await show(
  `Measured: **${larger.loss.toFixed(3)}**, ${inside ? 'inside' : 'outside'} the interval, and ` +
    `${(100 * Math.abs(offBy)).toFixed(1)}% ${offBy > 0 ? 'above' : 'below'} the line.`,
);

// %% [markdown]
// If the larger model lies inside the grey area, the law has passed one test, over a factor of four in size. If it lies above, you see
// the line bend. Sooner or later it must: a power law falls for ever, but the loss cannot fall below what is truly
// undecided in a text (the $E$ of the next part), and all your models take the same few hundred steps, of which a larger one
// profits less and less. An extrapolation is a bet that nothing new begins to matter on the way. The interval only knows
// about *random* deviations. It cannot foresee a bend.
//
// Do not read too much into the difference to Kaplan's exponent. Their models range over six powers of ten, were trained
// until more training brought nothing, and read real text. Yours are tiny, stopped early, and live in a world so small
// that its stories can nearly be learned by heart. What the two have in common is the form.

// %% [markdown]
// ## 4 · Spending a budget
//
// For a given budget $C = 6ND$: a larger model on fewer tokens, or a smaller one on more? Hoffmann et al. fitted
//
// $$L(N, D) = E + \frac{A}{N^\alpha} + \frac{B}{D^\beta}$$
//
// with $E = 1.69$, $A = 406.4$, $B = 410.7$, $\alpha = 0.34$, $\beta = 0.28$ (appendix D.3). $E$ is what remains for an ideal
// model: text cannot be foreseen entirely. The other two terms are the price of a finite model and of finite data.

// %% [exercise] scaling/compute-optimal difficulty=3 minutes=25
// ### Exercise: the best split, in closed form
//
// Find the $N$ and $D$ of least loss under $6ND = C$. Solve it on paper; the code is then three lines.
//
// | | |
// |---|---|
// | `flops` | C |
// | `law` | `{E, A, B, alpha, beta}` |
// | result | `{parameters, tokens}` |
// <!-- hint -->
// The budget ties D to N. Put $D = C/(6N)$ into the loss: now it depends on $N$ alone. Where is its derivative 0?
// <!-- hint -->
// $\alpha A N^{-\alpha} = \beta B D^{-\beta}$ with $D = C/(6N)$. Solve for $N$; then $D$ follows.
// <!-- hint -->
// $N = G\,(C/6)^{\beta/(\alpha+\beta)}$, $D = G^{-1}(C/6)^{\alpha/(\alpha+\beta)}$, $G = \left(\frac{\alpha A}{\beta
// B}\right)^{1/(\alpha+\beta)}$: Hoffmann et al. (2022), equation 4.

// %% [answer] scaling/compute-optimal
function computeOptimal(
  flops: number,
  law: { E: number; A: number; B: number; alpha: number; beta: number },
): { parameters: number; tokens: number } {
  // BEGIN SOLUTION
  const { A, B, alpha, beta } = law;
  const G = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta));
  const parameters = G * (flops / 6) ** (beta / (alpha + beta));
  return { parameters, tokens: flops / (6 * parameters) };
  // END SOLUTION
  //| throw new Error('computeOptimal is not written yet');
}

// %%
await check('scaling/compute-optimal', computeOptimal);

// %% [markdown]
// For the budget of Gopher (Rae et al., 2021; $5.76 \cdot 10^{23}$ operations), the loss that the law foresees for every
// size of the model. Small models waste the budget on data they cannot use, large ones on size they cannot fill.

// %%
const BUDGET = 5.76e23;
const best = lab.allocateCompute(BUDGET);
const candidates = Array.from({ length: 41 }, (_, i) => 10 ** (9 + i / 10));
await show(
  lab.lineChart(
    [
      {
        name: 'loss',
        points: candidates.map((parameters): [number, number] => [
          parameters,
          lab.predictLoss(parameters, BUDGET / (6 * parameters)),
        ]),
      },
    ],
    {
      title: 'One budget, many sizes',
      x: 'parameters',
      y: 'loss foreseen',
      logX: true,
      level: { value: best.loss, name: 'the best' },
    },
  ),
);
await show(
  lab.table(
    [
      { model: 'best by this law', parameters: best.parameters, tokens: best.tokens },
      ...lab.LARGE_MODELS.filter(({ name }) => name === 'Gopher' || name === 'Chinchilla').map((model) => ({
        model: `${model.name} (Hoffmann et al., 2022, table 1)`,
        parameters: model.parameters,
        tokens: model.tokens,
      })),
    ].map(({ model, parameters, tokens }) => ({
      model,
      'parameters / 10⁹': parameters / 1e9,
      'tokens / 10⁹': tokens / 1e9,
      'loss by this law': lab.predictLoss(parameters, tokens),
    })),
  ),
);

// %% [markdown]
// Gopher and Chinchilla cost about the same. Chinchilla, four times smaller and trained on more than four times the
// tokens, was the better model (Hoffmann et al., 2022, section 4.2).
//
// The three approaches of that paper do not agree exactly, and the published constants of this one, the third, were later
// found to fit the paper's own data badly (Besiroglu et al., 2024, [Chinchilla scaling: a replication
// attempt](https://arxiv.org/abs/2404.10102)). Take such laws as good to a factor, not to a digit.

// %% [markdown]
// ## 5 · Emergence
//
// Some abilities of large models seemed to come suddenly: nothing, nothing, and beyond some size, success (Wei et al.,
// 2022, [Emergent abilities of large language models](https://arxiv.org/abs/2206.07682)). Schaeffer, Miranda and Koyejo
// (2023, [Are emergent abilities of large language models a mirage?](https://arxiv.org/abs/2304.15004)) objected: look at
// what is measured. If an answer has five tokens and counts only when **all** are right, then a steady rise of the
// probability of a token, from 0.5 to 0.9, turns into a leap from 0.03 to 0.59, its fifth power.

// %% [exercise] scaling/emergence difficulty=2 minutes=20
// ### Exercise: two metrics for the same outputs
//
// Score the same answers in two ways. For each model: the expected share of answers that are right in every token, and
// the mean loss of a token.
//
// | | |
// |---|---|
// | `logProbabilities` | `number[][][]`: model, question, token of the right answer |
// | result | `{exactMatch: number[], tokenLoss: number[]}`, one number a model each |
// <!-- hint -->
// An answer of five tokens is right only if all five are. What is the probability of that, given the logarithms?
// <!-- hint -->
// For each model: `exactMatch` = mean over questions of exp(sum over tokens); `tokenLoss` = minus the mean over all
// tokens of all questions.
// <!-- hint -->
// $P = \prod_t p_t = e^{\sum_t \log p_t}$ for each question, then the mean; loss $= -\overline{\log p}$. Schaeffer et al.
// (2023), section 2.

// %% [answer] scaling/emergence
function emergence(logProbabilities: number[][][]): { exactMatch: number[]; tokenLoss: number[] } {
  // BEGIN SOLUTION
  const sum = (values: number[]): number => values.reduce((total, one) => total + one, 0);
  const mean = (values: number[]): number => sum(values) / values.length;
  return {
    exactMatch: logProbabilities.map((questions) => mean(questions.map((tokens) => Math.exp(sum(tokens))))),
    tokenLoss: logProbabilities.map((questions) => -mean(questions.flat())),
  };
  // END SOLUTION
  //| throw new Error('emergence is not written yet');
}

// %%
await check('scaling/emergence', emergence);

// %% [markdown]
// Your five models, on the last five tokens of each row they have not seen. Same models, same outputs, two metrics:

// %%
await lab.whenSolved('scaling/emergence', emergence, async () => {
  const { exactMatch, tokenLoss } = emergence(runs.map(({ answers }) => answers));
  const against = (values: number[]): [number, number][] =>
    runs.map(({ parameters }, i) => [parameters, values[i] ?? 0]);
  const axes = { x: 'parameters without tables', logX: true, marks: true, width: 360, height: 200 };
  await show(
    lab.lineChart([{ name: 'loss', points: against(tokenLoss) }], {
      ...axes,
      title: 'Loss of a token',
      y: 'loss',
    }),
  );
  await show(
    lab.lineChart([{ name: 'share', points: against(exactMatch) }], {
      ...axes,
      title: 'All five tokens right',
      y: 'expected share',
    }),
  );
});

// %% [markdown]
// ## Quiz
//
// Choose, then click to see why.

// %%
await show(
  lab.quiz([
    {
      ask: 'Why does training cost about 6 operations for each parameter and token?',
      choices: [
        {
          text: 'Forward 2, backward 4.',
          why: 'A multiplication and an addition forward; two products of that size backward.',
          right: true,
        },
        {
          text: 'There are six matrices in a layer.',
          why: 'Their number does not matter: each weight is used once for each token, wherever it stands.',
        },
        {
          text: 'The method of the updates keeps several numbers for each parameter.',
          why: 'That costs memory and a little work for each step, not for each token.',
        },
      ],
    },
    {
      ask: 'When does the rule C ≈ 6·N·D go wrong?',
      choices: [
        {
          text: 'For long texts.',
          why: 'Comparing all tokens with each other costs T², and no weight takes part in it.',
          right: true,
        },
        {
          text: 'For large models.',
          why: 'The wider the model, the smaller the share of attention: the rule gets better.',
        },
        {
          text: 'For many tokens.',
          why: 'D counts all tokens of the training; cut into sequences of a fixed length, the rule is as good as before.',
        },
      ],
    },
    {
      ask: 'A power law drawn on logarithmic axes is …',
      choices: [
        { text: 'a straight line, whose slope is the exponent.', why: 'ln y = ln c + k·ln x.', right: true },
        {
          text: 'a straight line, whose slope is the constant.',
          why: 'The constant is where the line stands, not how steep it is.',
        },
        { text: 'a falling exponential.', why: 'An exponential is straight when only y is logarithmic.' },
      ],
    },
    {
      ask: 'With ten times the budget, the law of Hoffmann et al. says to …',
      choices: [
        { text: 'make the model ten times larger.', why: 'Then nothing would be left for more data.' },
        {
          text: 'enlarge both the model and the data.',
          why: 'With α = 0.34 and β = 0.28: about 2.8 times the parameters and 3.5 times the tokens.',
          right: true,
        },
        { text: 'take ten times the data.', why: 'The term A/N^α would soon be all that is left.' },
      ],
    },
    {
      ask: 'What does E = 1.69 stand for?',
      choices: [
        {
          text: 'The loss of an ideal model with unlimited data.',
          why: 'Text is not determined: several continuations are possible, and no model can know which one comes.',
          right: true,
        },
        { text: 'The error of the fit.', why: 'It is one of the numbers that were fitted.' },
        {
          text: 'The loss before training.',
          why: 'That would be the logarithm of the size of the vocabulary, about 10.',
        },
      ],
    },
    {
      ask: 'An ability appears suddenly when measured by exact match. What do you check first?',
      choices: [
        {
          text: 'Whether the probability of the right answer rose just as suddenly.',
          why: 'If it rose steadily, the leap is in the metric, not in the model.',
          right: true,
        },
        {
          text: 'Whether the model is large enough.',
          why: 'That presumes what was to be shown: that size brought a leap.',
        },
        {
          text: 'Whether the learning rate was right.',
          why: 'All models were judged alike; look at what is measured first.',
        },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Kaplan et al. (2020), [Scaling laws for neural language models](https://arxiv.org/abs/2001.08361).
// - Hoffmann et al. (2022), [Training compute-optimal large language models](https://arxiv.org/abs/2203.15556).
// - Besiroglu, Erdil, Barnett and You (2024), [Chinchilla scaling: a replication
//   attempt](https://arxiv.org/abs/2404.10102).
// - Schaeffer, Miranda and Koyejo (2023), [Are emergent abilities of large language models a
//   mirage?](https://arxiv.org/abs/2304.15004).
// - Sutton (2019), [The bitter lesson](http://www.incompleteideas.net/IncIdeas/BitterLesson.html).
