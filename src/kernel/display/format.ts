import { inspect, types } from 'node:util';
import type { MimeBundle } from './publish.ts';

/** What a result looks like: a MIME bundle and its metadata. */
export interface Shown {
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
}

/** A result can say how it is shown: a method of this name returns a MIME bundle, or a promise of one. */
export const JUPYTER_DISPLAY = Symbol.for('Jupyter.display');

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isBundle(value: unknown): value is MimeBundle {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The bundle a value gives of itself, if it does. */
async function ownDisplay(value: object): Promise<MimeBundle | undefined> {
  const method: unknown = Reflect.get(value, JUPYTER_DISPLAY);
  if (typeof method !== 'function') return undefined;
  const bundle: unknown = await method.call(value);
  return isBundle(bundle) ? bundle : undefined;
}

/** How a value is shown as the result of a cell; nothing at all if it gives an empty bundle. Never throws. */
export async function formatValue(value: unknown): Promise<Shown> {
  try {
    if (isObject(value)) {
      const bundle = (await ownDisplay(value)) ?? (await richDisplay(value));
      if (bundle) return { data: bundle, metadata: {} };
    }
    return { data: await textDisplay(value), metadata: {} };
  } catch (error) {
    return { data: { 'text/plain': `(this value cannot be shown: ${String(error)})` }, metadata: {} };
  }
}

/** Bundles for the kinds of values this kernel knows; loaded when the first object is shown. */
async function richDisplay(value: object): Promise<MimeBundle | undefined> {
  const { tensorDisplay } = await import('./tensor.ts');
  const tensor = await tensorDisplay(value);
  if (tensor) return tensor;
  const { chartDisplay } = await import('./chart.ts');
  const chart = await chartDisplay(value);
  if (chart) return chart;
  const { tableDisplay } = await import('./table.ts');
  return tableDisplay(value);
}

async function textDisplay(value: unknown): Promise<MimeBundle> {
  const text = inspectValue(value);
  const { foldedDisplay, isLong } = await import('./folded.ts');
  return isLong(text) ? foldedDisplay(text) : { 'text/plain': text };
}

/** A frame of this kernel or of Node in the trace of an error. */
const FOREIGN_FRAME = /\n +at [^\n]*(?:\/src\/kernel\/|node:)[^\n]*/g;

/** A value as text, as Node prints it, with room for the data of a lab; of an error, the person's own frames. */
export function inspectValue(value: unknown): string {
  const text = inspectFully(value);
  return types.isNativeError(value) ? text.replace(FOREIGN_FRAME, '') : text;
}

function inspectFully(value: unknown): string {
  return inspect(value, {
    depth: 6,
    maxArrayLength: 1000,
    maxStringLength: 1_000_000,
    breakLength: 100,
    compact: 3,
  });
}
