export * from './check.ts';
export * from './display.ts';
export * from './learner.ts';
export * from './live.ts';
export * from './quiz.ts';
export * from './table.ts';
