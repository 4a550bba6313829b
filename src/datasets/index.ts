export * from './bundled.ts';
export * from './files.ts';
export type * from './records.ts';
