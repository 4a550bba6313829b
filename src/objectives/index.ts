export * from './masked-lm.ts';
export * from './sentence-pairs.ts';
