/** Running one case, and telling how it went. */
import { compare, numberText } from './compare.js';
import { describe, differenceText, discreetText } from './describe.js';
import { createDraw } from './draw.js';
import { exclusive, localCandidate } from './evaluate.js';
import { EnvironmentFault } from './fault.js';
import { pictureOf } from './picture.js';
import { nameOf, readValue } from './values.js';
/** The arguments of a case, drawn from the seed. */
export function drawInputs(definition, seed) {
  return exclusive('inputs', async () => {
    const live = definition.inputs(createDraw(`${seed}/${definition.name}`));
    const padding = definition.padding?.(live);
    const args = [];
    for (const [i, arg] of live.entries()) args.push(await readValue(arg, `argument ${i}`));
    const mask = padding === undefined ? undefined : await readValue(padding, 'padding');
    return { args, context: mask?.kind === 'tensor' ? { padding: mask } : {} };
  });
}
async function expectedOf(exercise, args) {
  const outcome = await localCandidate(exercise.reference).call(args);
  if (outcome.kind === 'returned') return outcome.value;
  throw new EnvironmentFault(`the reference of ${exercise.id} failed: ${outcome.message}`);
}
/**
 * Draws a case, asks the reference and the candidate, and compares. A hidden case is drawn twice, and the first draw that is not right
 * is the one that counts: an answer that repeats itself, or was lucky, is found out.
 */
export async function runCase(exercise, definition, candidate, seed) {
  const first = await runDraw(exercise, definition, candidate, seed);
  const right = first.outcome.kind === 'returned' && first.difference === undefined;
  return right && definition.visibility === 'hidden'
    ? runDraw(exercise, definition, candidate, `${seed}/again`)
    : first;
}
async function runDraw(exercise, definition, candidate, seed) {
  const { args, context } = await drawInputs(definition, seed);
  const expected = await expectedOf(exercise, args);
  const outcome = await candidate.call(args);
  const difference =
    outcome.kind === 'returned' ? compare(expected, outcome.value, definition.tolerance) : undefined;
  return { parameters: exercise.parameters, definition, args, expected, outcome, difference, context };
}
/** What is told of a case: everything of a public one, of a hidden one no number. */
export function caseReport({ parameters, definition, args, expected, outcome, difference, context }) {
  const { name, visibility, weight, tolerance } = definition;
  const open = visibility === 'public';
  const base = { name, kind: 'case', visibility, weight };
  if (outcome.kind === 'stopped') {
    return { ...base, status: outcome.cause === 'timeout' ? 'timeout' : 'died', message: outcome.message };
  }
  if (outcome.kind === 'threw') {
    const message = open
      ? `Your function threw an error: ${outcome.message}`
      : 'Your function threw an error on a hidden case. Try it on inputs of other sizes than the public ones.';
    return { ...base, status: 'threw', message };
  }
  if (difference === undefined) return { ...base, status: 'passed' };
  const findings = describe(expected, outcome.value, tolerance, context);
  if (!open) {
    // A factor or a shift is a number of the outputs: of hidden cases only what is said without numbers is told.
    const discreet = findings.filter((finding) => !/\d/.test(finding));
    return { ...base, status: 'wrong', message: discreetText(difference), findings: discreet };
  }
  const picture = pictureOf(expected, outcome.value, difference, tolerance);
  return {
    ...base,
    status: 'wrong',
    message: differenceText(difference),
    findings,
    details: {
      inputs: args.map((arg, i) => `${parameters[i] ?? i}: ${nameOf(arg)}`),
      expected: nameOf(expected),
      got: nameOf(outcome.value),
      ...(difference.kind === 'elements'
        ? { first: elementText(difference.first), worst: elementText(difference.worst) }
        : {}),
      tolerance: toleranceText(tolerance),
      ...(picture === undefined ? {} : { picture }),
    },
  };
}
function toleranceText({ absolute, relative, reason }) {
  return absolute === 0 && relative === 0
    ? `exact (${reason})`
    : `${absolute} + ${relative}·|expected| (${reason})`;
}
const elementText = (element) =>
  `[${element.index.join(', ')}] expected ${numberText(element.expected)}, got ${numberText(element.got)}`;
