import './gradients.ts';

export * from './activations.ts';
export * from './attention.ts';
export * from './cache.ts';
export * from './dropout.ts';
export * from './embeddings.ts';
export * from './interrupt.ts';
export * from './linear.ts';
export * from './losses.ts';
export * from './masks.ts';
export * from './norm.ts';
export * from './random.ts';
export * from './relative-position.ts';
export * from './rotary.ts';
