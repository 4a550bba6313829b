import { localCandidate } from './evaluate.js';
import { judge } from './judge.js';
/**
 * Everything that is wrong with the exercise on one seed, a sentence each; empty when the reference and all variants pass,
 * the stub fails without a mark, and every mutant fails and is named by its own diagnosis.
 */
export async function faults(exercise, seed) {
  const found = [];
  const at = (what) => `${exercise.id}, seed ${seed}: ${what}`;
  const run = (implementation) => judge(exercise, localCandidate(implementation), { seed, include: 'all' });
  for (const right of [exercise.reference, ...exercise.variants]) {
    const judgement = await run(right);
    const failed = judgement.checks.find((check) => check.status !== 'passed');
    if (failed !== undefined)
      found.push(at(`the right answer '${right.id}' fails '${failed.name}': ${failed.message}`));
  }
  const stub = await run(exercise.stub);
  if (stub.verdict === 'pass' || stub.score > 0) found.push(at(`the stub earns ${stub.score} points`));
  for (const mutant of exercise.mutants) {
    const judgement = await run(mutant);
    if (judgement.verdict === 'pass') found.push(at(`the mutant '${mutant.id}' passes`));
    else if (judgement.mistake?.id !== mutant.id) {
      found.push(at(`the mutant '${mutant.id}' is named '${judgement.mistake?.id ?? 'nothing'}'`));
    }
  }
  return found;
}
