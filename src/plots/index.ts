export * from './architectures.ts';
export * from './bars.ts';
export * from './chart.ts';
export * from './figure.ts';
export * from './lines.ts';
export * from './matrices.ts';
