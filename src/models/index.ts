export * from './architecture.ts';
export * from './bert.ts';
export * from './bert-config.ts';
export * from './bert-heads.ts';
export * from './bert-weights.ts';
export * from './classification.ts';
export * from './pretrained.ts';
export * from './registry.ts';
