// The master of chapter 00. `npx lab notebooks` makes notebooks/00-start-here.ipynb from it.

// %% [markdown]
// # 00 · Start here
//
// Welcome. In this course you build eight language models, piece by piece, until your own code gives the same numbers
// as the published ones. This first notebook takes half an hour. It shows you the tools: how to run code, what a tensor
// is, how to let the computer find gradients, and how to check an answer.
//
// **How a notebook works.** A notebook is a list of cells, of text like this one or of code like the next. Select a
// code cell and press <kbd>Shift</kbd>+<kbd>Enter</kbd>: it runs, and the selection moves on. Run the cells from top to
// bottom; each may use what the ones above it made. The code is TypeScript: JavaScript whose variables have types, so
// that many mistakes are found before anything runs.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';
import { check, show } from 'llm-lab';

const backend = await lab.startBackend();
await show(`Everything below computes on **${backend.name}**: ${backend.device} (${backend.reason}).`);

// %% [markdown]
// The first line loads [TensorFlow.js](https://js.tensorflow.org/), which computes with tables of numbers. The second
// loads this course's own library. `startBackend` chooses what does the arithmetic: `wasm`, which runs on every
// processor, or a graphics card where one is set up. The notebooks give the same results on each, only faster or
// slower.

// %% [markdown]
// ## Tensors and shapes
//
// A **tensor** is a box of numbers with a **shape**, the list of its sizes along each **axis**. A single number has the
// shape `[]`, a list of three `[3]`, a table of two rows and three columns `[2, 3]`. A batch of four sentences of ten
// words, each word described by 64 numbers, is `[4, 10, 64]`.
//
// Nearly every mistake in this field is a mistake about shapes. So we write the shape beside the code, with one letter
// an axis: `[B, T, D]` is batch, tokens, width.

// %%
const heights = tf.tensor2d([
  [1.62, 1.75, 1.8],
  [1.71, 1.66, 1.94],
]); // [2, 3]
const perRow = tf.mean(heights, 1); // [2]: axis 1 is gone
const perColumn = tf.mean(heights, 0); // [3]: axis 0 is gone

await show(
  lab.table([
    { tensor: 'heights', shape: `[${heights.shape}]`, values: `${await heights.data()}` },
    { tensor: 'perRow', shape: `[${perRow.shape}]`, values: `${await perRow.data()}` },
    { tensor: 'perColumn', shape: `[${perColumn.shape}]`, values: `${await perColumn.data()}` },
  ]),
);

// %% [markdown]
// `tf.mean(x, 1)` takes the mean *along* axis 1, and that axis disappears. This is the rule for every reduction: the
// axis you name is the one that goes.
//
// The values show `1.6200000047683716` instead of `1.62`. Tensors hold 32-bit numbers, which keep about seven digits.
// That is why answers in this course are compared with a tolerance, and why each tolerance comes with its reason.
//
// `await heights.data()` fetches the numbers. It waits, because on a graphics card they have to travel.

// %% [markdown]
// ## Broadcasting
//
// How do you subtract a list of three from a table of two rows and three columns? You line up the shapes at their
// right ends. Where one of them has size 1, or nothing at all, it is repeated:
//
// ```
//   heights    [2, 3]
//   perColumn     [3]   is read as [1, 3] and used for both rows
//   result     [2, 3]
// ```
//
// To subtract `perRow` instead, its shape must become `[2, 1]`. `tf.mean(x, 1, true)` keeps the axis, with size 1, for
// that purpose.

// %%
const aroundZero = tf.sub(heights, perColumn); // [2, 3] − [3] → [2, 3]
const rowsAroundZero = tf.sub(heights, tf.mean(heights, 1, true)); // [2, 3] − [2, 1] → [2, 3]
await show(
  lab.heatmap(
    {
      'minus the mean of its column': lab.rowsOf(await aroundZero.data(), 3),
      'minus the mean of its row': lab.rowsOf(await rowsAroundZero.data(), 3),
    },
    { title: 'Two ways to centre a table', rows: 'row', columns: 'column', cell: 40 },
  ),
);

// %% [exercise] start/standardize difficulty=1 minutes=10
// ### Exercise: standardise a table
//
// Your first exercise. A table $x$ has $N$ rows and $D$ columns. Give every **column** mean 0 and standard deviation 1:
//
// $$z_{ij} = \frac{x_{ij} - \mu_j}{\sigma_j}, \qquad \mu_j = \frac1N \sum_i x_{ij}, \qquad
// \sigma_j^2 = \frac1N \sum_i (x_{ij} - \mu_j)^2$$
//
// | | |
// |---|---|
// | `x` | `[N, D]` |
// | result | `[N, D]` |
//
// Replace the line that throws. Then run the cell, and the one below it.
// <!-- hint -->
// Two numbers describe a column: where it lies and how wide it is. Take away the first, divide by the second.
// <!-- hint -->
// `x [N, D]` → mean over axis 0, kept as `[1, D]` → difference `[N, D]` → mean of its square `[1, D]` → root `[1, D]` →
// quotient `[N, D]`.
// <!-- hint -->
// $z = (x-\mu)/\sigma$, per column; the variance is divided by $N$, as in every norm of this course. Useful:
// `tf.mean(x, 0, true)`, `tf.square`, `tf.sqrt`, `tf.sub`, `tf.div`.

// %% [answer] start/standardize
function standardize(x: tf.Tensor2D): tf.Tensor {
  return tf.tidy(() => {
    // BEGIN SOLUTION
    const centred = tf.sub(x, tf.mean(x, 0, true)); // [N, D]
    const deviation = tf.sqrt(tf.mean(tf.square(centred), 0, true)); // [1, D]
    return tf.div(centred, deviation); // [N, D]
    // END SOLUTION
    //| // Your code goes here, in place of the next line.
    //| throw new Error('standardize is not written yet');
  });
}

// %%
await check('start/standardize', standardize);

// %% [markdown]
// The check runs your function on inputs drawn from a *seed* (a starting value for random numbers: the same seed gives the
// same numbers) and compares the result with what it should be. It also
// looks at things that no single number shows, for example whether your function leaves memory behind.
//
// If something is wrong, it tells you which shape came, which element is the first that differs, and, if it knows your
// mistake, what it is. Below is a wrong answer, on purpose: it takes one mean of the whole table.

// %%
await check('start/standardize', (x: tf.Tensor2D) =>
  tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x));
    return tf.div(centred, tf.sqrt(tf.mean(tf.square(centred))));
  }),
);

// %% [markdown]
// Checks in a notebook use the *public* cases. When you hand in your work, *hidden* cases of other sizes are tried
// too. So write what the task says, not what the numbers of one case suggest.

// %% [exercise] start/distances difficulty=2 minutes=15
// ### Exercise: all distances at once
//
// Given $N$ points and $M$ other points with $D$ coordinates each, find the squared distance of every pair, without a
// loop:
//
// $$d_{ij} = \sum_{k=1}^{D} (a_{ik} - b_{jk})^2$$
//
// | | |
// |---|---|
// | `a` | `[N, D]` |
// | `b` | `[M, D]` |
// | result | `[N, M]` |
//
// In a few chapters the same trick compares every word of a sentence with every other.
// <!-- hint -->
// Give both tensors a third axis, so that every point of `a` meets every point of `b`.
// <!-- hint -->
// `a [N, D]` → `[N, 1, D]`; `b [M, D]` → `[1, M, D]`; the difference broadcasts to `[N, M, D]`; square; sum over the
// last axis → `[N, M]`.
// <!-- hint -->
// `tf.expandDims(a, 1)` makes `[N, 1, D]`; `tf.sum(x, -1)` sums over the last axis. The formula stands above.

// %% [answer] start/distances
function squaredDistances(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor {
  return tf.tidy(() => {
    // BEGIN SOLUTION
    const difference = tf.sub(tf.expandDims(a, 1), tf.expandDims(b, 0)); // [N, M, D]
    return tf.sum(tf.square(difference), -1); // [N, M]
    // END SOLUTION
    //| throw new Error('squaredDistances is not written yet');
  });
}

// %%
await check('start/distances', squaredDistances);

// %% [markdown]
// ## Memory: `tidy` and leaks
//
// The numbers of a tensor do not live in JavaScript's own memory, so JavaScript cannot clean them up. Whoever makes a
// tensor must dispose of it. One forgotten tensor a training step, and a long run fills the machine.
//
// `tf.tidy(() => …)` does it for you: it disposes of every tensor that was made inside, except the ones you return. All
// answers in this course stand in a `tidy`.

// %%
const careless = (x: tf.Tensor): tf.Tensor => tf.sqrt(tf.mean(tf.square(x)));
const careful = (x: tf.Tensor): tf.Tensor => tf.tidy(() => tf.sqrt(tf.mean(tf.square(x))));

const left = (f: (x: tf.Tensor) => tf.Tensor): number => {
  const before = tf.memory().numTensors;
  f(heights).dispose();
  return tf.memory().numTensors - before;
};
await show(
  lab.table([
    { function: 'careless', 'tensors left behind': left(careless) },
    { function: 'careful', 'tensors left behind': left(careful) },
  ]),
);

// %% [exercise] start/log-sum-exp difficulty=2 minutes=15
// ### Exercise: log-sum-exp, without a leak and without overflow
//
// For each row of $x$ compute
//
// $$\operatorname{lse}(x) = \log \sum_{j=1}^{D} e^{x_j}$$
//
// It is the heart of every loss in this course. Written down as it stands, it fails: $e^{200}$ is too large for a
// 32-bit number and becomes `Infinity`. Find a way to get the right result for any $x$.
//
// | | |
// |---|---|
// | `x` | `[N, D]`, numbers from −300 to 300 |
// | result | `[N]` |
// <!-- hint -->
// What can you take out of every exponent of a row without changing the result?
// <!-- hint -->
// `x [N, D]` → the largest of each row `[N, 1]` → the difference `[N, D]` → exp, sum over the last axis `[N]` → log
// `[N]` → add the largest, now as `[N]`.
// <!-- hint -->
// $\log \sum_j e^{x_j} = m + \log \sum_j e^{x_j - m}$ for any $m$. With $m = \max_j x_j$ no exponent is positive
// (Blanchard, Higham and Higham, 2021, "Accurately computing the log-sum-exp and softmax functions"). `tf.max(x, -1,
// true)` keeps the axis, `tf.squeeze(m, [-1])` drops it.

// %% [answer] start/log-sum-exp
function logSumExp(x: tf.Tensor2D): tf.Tensor {
  return tf.tidy(() => {
    // BEGIN SOLUTION
    const largest = tf.max(x, -1, true); // [N, 1]
    const sum = tf.sum(tf.exp(tf.sub(x, largest)), -1); // [N]
    return tf.add(tf.log(sum), tf.squeeze(largest, [-1])); // [N]
    // END SOLUTION
    //| throw new Error('logSumExp is not written yet');
  });
}

// %%
await check('start/log-sum-exp', logSumExp);

// %% [markdown]
// ## Gradients
//
// To train a model means to change its numbers, a little at a time, so that a **loss** falls: one number that says how
// wrong the model is. The **gradient** says how the loss changes with each of the numbers. You write the loss;
// TensorFlow.js works out the gradient.
//
// For $f(x) = x^2$ the gradient is $2x$. Let us see:

// %%
const slope = tf.grad((x: tf.Tensor) => tf.square(x));
const at = tf.tensor1d([-2, -1, 0, 1, 2]);
await show(
  lab.table([
    { what: 'x', values: `${await at.data()}` },
    { what: 'gradient of x²', values: `${await slope(at).data()}` },
  ]),
);

// %% [markdown]
// Every model of this course is drawn in the way of the next figure: read it from the bottom up. A box is something that is
// computed, and beside the arrow stands the shape of what comes out.

// %%
await show(
  lab.architectureFigure({
    title: 'The smallest model: a line',
    rows: [
      [{ label: 'inputs x', note: 'N rows of D numbers', kind: 'data', shape: '[N, D]' }],
      [{ label: 'times weights, plus bias', note: 'D + 1 numbers to learn', shape: '[N]' }],
      [{ label: 'compare with y', note: 'difference, squared', kind: 'head', shape: '[N]' }],
      [{ label: 'loss', note: 'the mean: one number', kind: 'loss' }],
    ],
  }),
);

// %% [exercise] start/linear-fit difficulty=3 minutes=25
// ### Exercise: fit a line by gradient descent
//
// The smallest model there is: $\hat y = x \cdot w + b$. Start with $w = 0$ and $b = 0$ and make `steps` updates
//
// $$w \leftarrow w - \eta\,\frac{\partial L}{\partial w}, \qquad b \leftarrow b - \eta\,\frac{\partial L}{\partial b},
// \qquad L = \frac1N \sum_{i=1}^{N} (\hat y_i - y_i)^2$$
//
// where $\eta$ is the learning rate. Everything you train later, up to the largest model, repeats these two lines.
//
// | | |
// |---|---|
// | `x` | `[N, D]` |
// | `y` | `[N]` |
// | `options` | `{steps, learningRate}` |
// | result | `{weights: [D], bias: []}` |
// <!-- hint -->
// Write the loss as a function of two tensors. `tf.grads` makes from it a function that gives the gradient of each.
// <!-- hint -->
// `x [N, D]` times `weights [D]`, summed over axis 1 → predictions `[N]`; minus `y [N]` → errors `[N]`; mean of squares →
// one number. The gradients have the shapes of the parameters: `[D]` and `[]`.
// <!-- hint -->
// `const gradients = tf.grads((w, b) => tf.mean(tf.square(…)));` once, and in the loop
// `const [ofWeights, ofBias] = gradients([weights, bias]);`. Gradient descent goes back to Cauchy (1847).

// %% [answer] start/linear-fit
function linearFit(
  x: tf.Tensor2D,
  y: tf.Tensor1D,
  options: { steps: number; learningRate: number },
): { weights: tf.Tensor; bias: tf.Tensor } {
  return tf.tidy(() => {
    let weights: tf.Tensor = tf.zeros([x.shape[1]]); // [D]
    let bias: tf.Tensor = tf.scalar(0); // []
    // BEGIN SOLUTION
    const gradients = tf.grads((w: tf.Tensor, b: tf.Tensor) => {
      const predictions = tf.add(tf.sum(tf.mul(x, w), 1), b); // [N]
      return tf.mean(tf.square(tf.sub(predictions, y)));
    });
    for (let step = 0; step < options.steps; step++) {
      const [ofWeights = weights, ofBias = bias] = gradients([weights, bias]);
      weights = tf.sub(weights, tf.mul(ofWeights, options.learningRate));
      bias = tf.sub(bias, tf.mul(ofBias, options.learningRate));
    }
    // END SOLUTION
    //| // Update weights and bias, options.steps times.
    //| throw new Error('linearFit is not written yet');
    return { weights, bias };
  });
}

// %%
await check('start/linear-fit', linearFit);

// %% [markdown]
// ## A first chart
//
// Does it learn? We draw the loss against the number of steps, for data where the truth is known:
// $y = 3x_1 - 2x_2 + 1$, with a little noise.

// %%
const rng = lab.createRng('first chart');
const rows = 50;
const points = tf.tensor2d(
  Array.from({ length: rows * 2 }, () => rng.normal()),
  [rows, 2],
);
const targets = tf.tidy((): tf.Tensor1D => {
  const noise = tf.tensor1d(Array.from({ length: rows }, () => 0.1 * rng.normal()));
  return tf.add(tf.add(tf.sum(tf.mul(points, tf.tensor1d([3, -2])), 1), 1), noise);
});

await lab.whenSolved('start/linear-fit', linearFit, async () => {
  const curve: { step: number; loss: number }[] = [];
  for (let step = 0; step <= 40; step += 2) {
    const { weights, bias } = linearFit(points, targets, { steps: step, learningRate: 0.1 });
    const loss = tf.tidy(() => {
      const predictions = tf.add(tf.sum(tf.mul(points, weights), 1), bias);
      return tf.mean(tf.square(tf.sub(predictions, targets)));
    });
    const [value = Number.NaN] = await loss.data();
    curve.push({ step, loss: value });
    if (step === 40) {
      await show(`After 40 steps: weights **${await weights.data()}**, bias **${await bias.data()}**.`);
    }
    tf.dispose([weights, bias, loss]);
  }
  await show(lab.lossCurve({ title: 'Gradient descent', curves: { 'mean squared error': curve } }));
});

// %% [markdown]
// The loss falls fast at first and then flattens. You will see this shape in every chapter. What remains at the end is
// the noise, which no line can explain.

// %% [markdown]
// ## How the course goes on
//
// | chapter | what you build |
// |---|---|
// | 1 Scaling laws | what a model costs and how good it can get |
// | 2 Three architectures | attention, masks, and the three ways to put them together |
// | 3 BERT | a model that reads in both directions and fills in blanks |
// | 4–6 RoBERTa, ALBERT, ELECTRA | three ways to train it better |
// | 7–8 BART, T5 | models that read a text and write another |
// | 9–10 GPT, LLaMA | models that go on writing |
// | 11 Capstone | a published model, loaded into parts that you wrote |
//
// Every exercise has three hints, folded below its text: a nudge, the shapes, the formula with its source. Use them in
// that order, and as late as you can bear.

// %% [markdown]
// ## Quiz
//
// Choose, then click to see why.

// %%
await show(
  lab.quiz([
    {
      ask: 'x has the shape [4, 10, 64]. What is the shape of tf.mean(x, 1)?',
      choices: [
        { text: '[4, 64]', why: 'The axis you name goes; the others stay in their order.', right: true },
        {
          text: '[10]',
          why: 'That would be the mean over axes 0 and 2. You named the axis to remove, not to keep.',
        },
        { text: '[4, 1, 64]', why: 'Only with keepDims: tf.mean(x, 1, true).' },
      ],
    },
    {
      ask: 'Which shapes can be added to a tensor [5, 3] by broadcasting?',
      choices: [
        { text: '[5]', why: 'Shapes are lined up at the right: 5 meets 3, and neither is 1.' },
        { text: '[3]', why: 'It is read as [1, 3] and used for each of the five rows.', right: true },
        { text: '[3, 5]', why: '3 meets 5 on both axes, and neither is 1.' },
      ],
    },
    {
      ask: 'A training step leaves two tensors behind. What happens?',
      choices: [
        { text: 'JavaScript collects them later.', why: 'It cannot see the memory behind a tensor.' },
        {
          text: 'Nothing: tensors are small.',
          why: 'After ten thousand steps there are twenty thousand of them.',
        },
        {
          text: 'Memory fills up until the run dies.',
          why: 'That is why each answer is wrapped in tf.tidy.',
          right: true,
        },
      ],
    },
    {
      ask: 'What does tf.tidy keep?',
      choices: [
        {
          text: 'What the function returns.',
          why: 'Tensors in the returned value survive; all others made inside go.',
          right: true,
        },
        {
          text: 'Everything that has a name.',
          why: 'Names mean nothing to it: a const inside is disposed of all the same.',
        },
        { text: 'Nothing.', why: 'Then it could not give you a result.' },
      ],
    },
    {
      ask: 'Your loss grows with every step. What do you suspect first?',
      choices: [
        { text: 'The model is too small.', why: 'A small model learns little, but its loss does not grow.' },
        {
          text: 'The gradient is added instead of subtracted, or the learning rate is too high.',
          why: 'The gradient points uphill; and too long a step jumps over the valley to a higher place.',
          right: true,
        },
        {
          text: 'There is too little data.',
          why: 'That harms on new data; the loss on the data trained on still falls.',
        },
      ],
    },
    {
      ask: 'Why are results compared with a tolerance?',
      choices: [
        {
          text: 'Because 32-bit numbers keep about seven digits, and the order of operations decides about the last ones.',
          why: 'Two right ways to compute the same thing differ there. The tolerance is set so that no known mistake fits into it.',
          right: true,
        },
        {
          text: 'To be kind to nearly right answers.',
          why: 'A known mistake is never let through: the tolerance is chosen below its effect.',
        },
        {
          text: 'Because the inputs are random.',
          why: 'They come from a seed: the same inputs for your function and for the reference.',
        },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - [The TensorFlow.js guide](https://js.tensorflow.org/guide/), on tensors, operations and memory.
// - [NumPy's page on broadcasting](https://numpy.org/doc/stable/user/basics.broadcasting.html): the rule is the same.
// - Baydin, Pearlmutter, Radul and Siskind (2018), [Automatic differentiation in machine learning: a
//   survey](https://arxiv.org/abs/1502.05767), on how gradients are found.
// - Goldberg (1991), [What every computer scientist should know about floating-point
//   arithmetic](https://doi.org/10.1145/103162.103163).
