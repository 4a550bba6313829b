export * from './core/index.ts';
export * from './errors.ts';
export * from './objectives/index.ts';
export * from './tokenizers/index.ts';
export * from './training/index.ts';
