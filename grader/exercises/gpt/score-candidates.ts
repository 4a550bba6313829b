import * as tf from '@tensorflow/tfjs-core';
import { tokenLosses } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor3D, tf.Tensor2D, number, number[]];

const IGNORED = -100;

/** One row for each candidate: the same prompt, the answer, padding with id 0. Answers of different lengths. */
function inputs(draw: Draw, prompt: number, answers: number[], vocabulary: number): Args {
  const length = prompt + Math.max(...answers);
  const asked = Array.from({ length: prompt }, () => 1 + draw.rng.integer(vocabulary - 1));
  const rows = answers.map((count) => [
    ...asked,
    ...Array.from({ length: length - prompt }, (_, i) =>
      i < count ? 1 + draw.rng.integer(vocabulary - 1) : 0,
    ),
  ]);
  return [
    draw.normal([answers.length, length, vocabulary], { std: 1.5 }).as3D(answers.length, length, vocabulary),
    tf.tensor2d(rows, [answers.length, length], 'int32'),
    prompt,
    answers,
  ];
}

/**
 * Sums of log-probabilities over the places that `counts` says, as if the logits at t − `shift` spoke of token t, and the same for
 * each token: what the mutants vary.
 */
function scored(
  [logits, inputIds, prompt, answers]: Args,
  {
    counts = (place, count) => place >= prompt && place < prompt + count,
    shift = 1,
    divisor = (count) => count,
    each = (losses) => tf.neg(losses),
  }: {
    counts?: (place: number, answer: number) => boolean;
    shift?: number;
    divisor?: (answer: number) => number;
    each?: (losses: tf.Tensor) => tf.Tensor;
  } = {},
): { logLikelihood: tf.Tensor; perToken: tf.Tensor } {
  const [rows, length] = inputIds.shape;
  const [logLikelihood, perToken] = tf.tidy(() => {
    const next = tf.concat(
      [tf.slice(inputIds, [0, shift], [rows, length - shift]), tf.zeros([rows, shift], 'int32')],
      1,
    );
    // 1 at place t where token t + shift counts.
    const weights = tf.tensor2d(
      answers.map((count) =>
        Array.from({ length }, (_, t) => (t + shift < length && counts(t + shift, count) ? 1 : 0)),
      ),
    );
    const sum = tf.sum(tf.mul(each(tokenLosses(logits, next)), weights), 1);
    return [sum, tf.div(sum, tf.tensor1d(answers.map(divisor)))] as [tf.Tensor, tf.Tensor];
  });
  return { logLikelihood, perToken };
}

export default defineExercise<Args>({
  id: 'gpt/score-candidates',
  title: 'Choosing among answers',
  points: 3,
  entry: 'scoreCandidates',
  difficulty: 3,
  minutes: 30,
  signature:
    'scoreCandidates(logits: tf.Tensor3D /* [N, T, V] */, inputIds: tf.Tensor2D /* int32 [N, T]: prompt, answer, padding */, promptLength: number, answerLengths: number[] /* N */): {logLikelihood: tf.Tensor /* [N] */; perToken: tf.Tensor /* [N] */}',
  parameters: ['logits', 'inputIds', 'promptLength', 'answerLengths'],
  tolerance: { absolute: 5e-5, relative: 1e-5, reason: 'a sum of log-softmaxes near 20, in float32' },
  reference: (...args) => scored(args),
  variants: [
    {
      name: 'labels with −100, as for a loss',
      implementation: (logits, inputIds, prompt, answers) => {
        const [logLikelihood, perToken] = tf.tidy(() => {
          const [rows, length] = inputIds.shape;
          const answer = tf.tensor2d(
            answers.map((count) =>
              Array.from({ length: length - 1 }, (_, t) =>
                t + 1 >= prompt && t + 1 < prompt + count ? 1 : 0,
              ),
            ),
            [rows, length - 1],
            'bool',
          );
          const next = tf.slice(inputIds, [0, 1], [rows, length - 1]);
          const labels = tf.where(answer, next, tf.fill([rows, length - 1], IGNORED, 'int32'));
          const predicted = tf.slice(logits, [0, 0, 0], [rows, length - 1, logits.shape[2]]);
          const sum = tf.neg(tf.sum(tokenLosses(predicted, labels), 1));
          return [sum, tf.div(sum, tf.tensor1d(answers))] as [tf.Tensor, tf.Tensor];
        });
        return { logLikelihood, perToken };
      },
    },
  ],
  mutants: [
    {
      id: 'prompt-scored',
      diagnosis:
        'The tokens of the prompt are scored too. They are the same for every candidate and say nothing about the answer; count only the answer.',
      implementation: (...args) => scored(args, { counts: (place, count) => place < args[2] + count }),
    },
    {
      id: 'not-shifted',
      diagnosis:
        'The logits at the place of a token are used to score it. The token at place t is predicted by the logits at t − 1; the first of the answer by the last of the prompt.',
      implementation: (...args) => scored(args, { shift: 0 }),
    },
    {
      id: 'first-answer-token-left-out',
      diagnosis:
        'The first token of the answer is not scored. It is predicted by the logits of the last token of the prompt: begin there.',
      implementation: (...args) =>
        scored(args, { counts: (place, count) => place > args[2] && place < args[2] + count }),
    },
    {
      id: 'padding-scored',
      diagnosis:
        'The padding after a short answer is scored. Row n counts answerLengths[n] tokens and no more.',
      implementation: (...args) => scored(args, { counts: (place) => place >= args[2] }),
    },
    {
      id: 'divided-by-all-tokens',
      diagnosis:
        'perToken is divided by the length of prompt and answer. Divide by the tokens that were scored: answerLengths[n].',
      implementation: (...args) => scored(args, { divisor: (count) => args[2] + count }),
    },
    {
      id: 'not-divided',
      diagnosis:
        'perToken is the sum again. Divide it by answerLengths[n], so that long answers have a chance.',
      implementation: (...args) => scored(args, { divisor: () => 1 }),
    },
    {
      id: 'probabilities-added',
      diagnosis:
        'Probabilities are added up. The probability of an answer is the product of those of its tokens: add the logarithms.',
      implementation: (...args) => scored(args, { each: (losses) => tf.exp(tf.neg(losses)) }),
    },
    {
      id: 'sign',
      diagnosis:
        'The sign is wrong: these are losses. A log-likelihood is 0 or less, and the best candidate has the largest.',
      implementation: (...args) => scored(args, { each: (losses) => tf.clone(losses) }),
    },
  ],
  cases: [
    {
      name: 'three candidates',
      visibility: 'public',
      inputs: (draw) => inputs(draw, 4, [2, 1, 3], 11),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, 7, [5, 2, 3, 4], 17),
    },
    { name: 'a prompt of one token', visibility: 'hidden', inputs: (draw) => inputs(draw, 1, [3, 4], 13) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'All candidates share the prompt. Which places of a row tell them apart, and at which places are these predicted?',
    'log-softmax of logits [N, T, V]; for row n and i = 0 … answerLengths[n] − 1: the token at place promptLength + i, in the log-probabilities at place promptLength + i − 1; sum over i → [N]; divided by answerLengths → [N].',
    'log p(a | prompt) = Σᵢ log p(aᵢ | prompt, a₀ … aᵢ₋₁). Brown et al., 2020, section 2.4: "we compare the LM likelihood of each completion", for most tasks per token.',
  ],
});
