export * from './core/index.ts';
export * from './datasets/index.ts';
export * from './errors.ts';
export * from './notebook/index.ts';
export * from './objectives/index.ts';
export * from './plots/index.ts';
export * from './tokenizers/index.ts';
export * from './training/index.ts';
