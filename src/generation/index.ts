export { beamSearch } from './beam-search.ts';
export { Decoding, type DecodingStep, type LanguageModel, type Prompt } from './decoding.ts';
export {
  type GeneratedTokens,
  type GenerationInputs,
  generate,
  streamTokens,
  type TokenRows,
} from './generate.ts';
export { type GenerationOptions, parseGenerationOptions } from './options.ts';
export {
  minP,
  noRepeatNgram,
  repetitionPenalty,
  type ScoreProcessor,
  temperature,
  topK,
  topP,
} from './processors.ts';
export { argmax, logSoftmax, sampleToken, softmax, topIndices } from './scores.ts';
export { generateText, streamText } from './text.ts';
