/**
 * What the text of a chapter claims of its own runs, as expressions over the chapter's variables. They are evaluated in
 * the kernel after the solved chapter ran. `always` holds in the shortened runs too, `full` only in runs of full length.
 */
export interface Claims {
  always: readonly string[];
  full: readonly string[];
}

export const CLAIMS: Readonly<Record<string, Claims>> = {
  '00-start-here': { always: ['left(careless) === 2 && left(careful) === 0'], full: [] },
  '01-scaling-laws': {
    always: [
      'runs.every(({ loss }, i) => i === 0 || loss < (runs[i - 1]?.loss ?? 0))',
      'fit.exponent < 0',
      'fit.rSquared > 0.9',
      'foreseen.low < foreseen.loss && foreseen.loss < foreseen.high',
    ],
    full: ['fit.exponentInterval.high < 0', 'larger.loss < (runs.at(-1)?.loss ?? 0)'],
  },
  '02-three-architectures': { always: ['farthest < 1e-4'], full: ['lossOpen < 0.5', 'lossClosed > 2.3'] },
  '03-bert': {
    always: [
      'firstLoss - lastLoss > 0.3',
      'comparison.every((row) => Number(row["largest difference of the logits"]) < 1e-4)',
      'parameterCount(base) === 109482240 && parameterCount(large) === 335141888',
    ],
    full: [
      'lastLoss < 1',
      'trained.gaps > 0.7',
      'trained.pairs > 0.85',
      'tunedAccuracy > 0.65',
      'meanShare(probed[0].shares[2]) > 0.7 && meanShare(probed[1].shares[2]) < 0.45',
    ],
  },
  '04-roberta': { always: ['farthest < 1e-4'], full: ['dynamicLoss < staticLoss', 'finalLoss < 2.5'] },
  '05-albert': {
    always: [
      'farthest < 1e-4',
      'results[0].parameters > 2 * results[1].parameters',
      'gradientGap < 1e-3',
      'byTopic.next > 0.7 && Math.abs(byTopic.order - 0.5) < 0.02',
      'counted[0]?.albert === 11683584',
    ],
    full: ['results.every(({ right }) => right > 0.85)'],
  },
  '06-electra': {
    always: ['farthest < 1e-4', 'frequencies.every((row) => Math.abs(row.drawn - row.softmax) < 0.02)'],
    full: ['precision > 0.6', 'recall > 0.4', 'mostSuspect[2]["most suspect"] === "7 market"'],
  },
  '07-bart': {
    always: [
      'comparison.length === 3 && comparison.every((row) => row["largest difference of the logits"] < 1e-4)',
      'lastLoss < firstLoss',
      'poissonTable.every(({ drawn, formula }) => Math.abs(drawn - formula) < 0.01)',
      'Math.abs(Math.exp(tree.find(({ text }) => text === "b.")?.log ?? 0) - 0.32) < 1e-9',
      'Math.abs(Math.exp(tree.find(({ text }) => text === "ab.")?.log ?? 0) - 0.14) < 1e-9',
    ],
    full: [
      'lossesAfter.every(({ copied, found }) => copied < found)',
      'lossesAfter.every(({ found }, i) => found < 0.5 * (lossesBefore[i]?.found ?? 0))',
      'quality.filter((row) => row.repaired > row["broken text"]).length >= 3',
      'better > worse',
    ],
  },
  '08-t5': {
    always: [
      'comparison.length === 8 && comparison.every((row) => row["largest difference of the logits"] < 1e-4)',
      'gapLossAfter < gapLossBefore && taskLossAfter < taskLossBefore',
      'Math.abs(capped.reduce((sum, share) => sum + share, 0) - 1) < 1e-9',
    ],
    full: [
      'gapLossAfter < 3',
      '["past", "plural"].every((task) => (scores.find(({ label }) => label === task)?.value ?? 0) >= 0.8)',
      '["add", "subtract"].every((task) => (scores.find(({ label }) => label === task)?.value ?? 1) < 0.6)',
    ],
  },
  '09-gpt': {
    always: [
      'comparison.every((row) => row["largest difference of the logits"] < 1e-4)',
      '(allAlike.at(-1)?.[1] ?? 0) > 2 * (withScale.at(-1)?.[1] ?? 0)',
      'lossAfter < lossBefore - 0.5',
      'sameTokens',
      'taught.length === 20 && questionsKept.length === 10',
    ],
    full: [
      'lossAfter < 0.7',
      'shots.every(({ right, of }) => right >= of - 1)',
      'rightOf(true) >= 15 && rightOf(true) - rightOf(false) >= 8',
      'stopped >= 25',
    ],
  },
  '10-llama': {
    always: [
      'farthest < 1e-4',
      'unevenTurned < 1e-4 && unevenAdded > 0.5',
      'apartReordered < 1e-4 && apartAsIs > 1e-2',
      'llamaSizes[0]?.total === 6738415616 && llama3Parameters === 8030261248',
      'bytesHeld > 0 && bytesHeld === bytesForeseen',
    ],
    full: [
      'lossAfter < 0.6',
      'lossAfter < gptLoss + 0.05',
      'beyond[0].past > beyond[0].within + 0.3',
      'beyond[1].past < 0.75 * beyond[0].past && beyond[1].past < beyond[1].within + 0.15',
      'beyond[2].within > beyond[1].within + 0.15',
    ],
  },
  '11-capstone': {
    always: [
      'unsolved.length === 0',
      'parameters === 409440 && parameterBytes === 4 * 409440',
      'recorded !== undefined && farthest < 1e-4',
      'sameContinuation',
      // What transformers measured on the same text, datasets/checkpoints/story-gpt2/reference.json.
      'Math.abs((measurements.perplexity?.value ?? 0) - 1.39972) < 1e-4',
      'Math.abs((measurements["bits-per-byte"]?.value ?? 0) - 0.153307) < 1e-5',
      'before.reviews > 1000 && after.reviews < 0.1 * before.reviews',
      'modelCard(template, measurements).refused.length === 0',
    ],
    full: ['after.reviews < 6', 'after.stories > 1.2 * before.stories'],
  },
};
