export * from './adamw.ts';
export * from './gradients.ts';
export * from './metrics.ts';
export * from './optimizer.ts';
export * from './parameters.ts';
export * from './progress.ts';
export * from './schedules.ts';
export * from './train.ts';
