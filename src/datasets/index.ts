export * from './bundled.ts';
export * from './files.ts';
export * from './parquet.ts';
export * from './public.ts';
export type * from './records.ts';
