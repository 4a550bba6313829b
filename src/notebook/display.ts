/**
 * Showing things from library code, wherever the code runs: in the lab's own kernel, in the stock `tslab` kernel, or
 * in plain Node, where the text is printed.
 */

import { createRequire } from 'node:module';
import { type Displayable, JUPYTER_DISPLAY, type MimeBundle } from '../plots/chart.ts';

/** How one output can be replaced by a later one: by the name that both carry. */
interface Placement {
  displayId?: string;
  /** Replace what was shown under that name. */
  update?: boolean;
}

/** What the lab's kernel puts behind `Symbol.for('llm-lab.display')` before the first cell. */
type Publish = (bundle: MimeBundle, placement?: Placement) => void;

const HOOK = Symbol.for('llm-lab.display');

/** Shows a value in the output of the cell that is running. Text is taken as Markdown. */
export async function show(value: Displayable | string): Promise<void> {
  publish(await bundleOf(value));
}

/** One output that changes in place. */
export interface LiveOutput {
  /** Puts the value in the place of what was shown before. */
  update(bundle: MimeBundle): void;
}

/**
 * An output to be updated. Where outputs cannot be replaced (plain Node), only the value given to `finish` is printed.
 */
export function liveOutput(): LiveOutput & { finish(bundle: MimeBundle): void } {
  const displayId = `live-${process.pid}-${nextId++}`;
  const stock = stockKernel()?.newDisplay();
  let shown = false;
  const put = (bundle: MimeBundle): void => {
    const hook = kernelHook();
    if (hook !== undefined) hook(bundle, { displayId, update: shown });
    else if (stock !== undefined) showOnStock(stock, bundle);
    shown = true;
  };
  return {
    update: put,
    finish(bundle) {
      put(bundle);
      if (kernelHook() === undefined && stock === undefined) print(bundle);
    },
  };
}

let nextId = 1;

/** Whether outputs go to a notebook rather than to a terminal. */
export function inNotebook(): boolean {
  return kernelHook() !== undefined || stockKernel() !== undefined;
}

/** What a value looks like, in each MIME type that it has. */
export async function bundleOf(value: Displayable | string): Promise<MimeBundle> {
  return typeof value === 'string'
    ? { 'text/markdown': value, 'text/plain': value }
    : value[JUPYTER_DISPLAY]();
}

/** Shows a bundle of MIME types: everything to the lab's kernel, the best one to the stock kernel, the text to a terminal. */
export function publish(bundle: MimeBundle): void {
  const hook = kernelHook();
  const stock = hook === undefined ? stockKernel() : undefined;
  if (hook !== undefined) hook(bundle);
  else if (stock !== undefined) showOnStock(stock.display, bundle);
  else print(bundle);
}

function kernelHook(): Publish | undefined {
  const hook: unknown = Reflect.get(globalThis, HOOK);
  if (typeof hook !== 'function') return undefined;
  return (bundle, placement) => {
    Reflect.apply(hook, undefined, placement === undefined ? [bundle] : [bundle, placement]);
  };
}

/** The part of tslab's display that is used here. */
interface StockDisplay {
  raw(contentType: string, content: string): unknown;
}

/**
 * The stock kernel's module, if this process is that kernel. It is looked for among what is loaded already, because
 * loading it takes a TypeScript compiler along.
 */
function stockKernel(): { display: StockDisplay; newDisplay(): StockDisplay } | undefined {
  if (stock === undefined) {
    const { cache } = createRequire(import.meta.url);
    const running = Object.keys(cache).some((path) => /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(path));
    const path = Object.keys(cache).find((name) => /[\\/]tslab[\\/]dist[\\/]public\.js$/.test(name));
    const loaded: unknown = running && path !== undefined ? cache[path]?.exports : undefined;
    stock = isStockModule(loaded) ? loaded : null;
  }
  return stock ?? undefined;
}

let stock: { display: StockDisplay; newDisplay(): StockDisplay } | null | undefined;

function isStockModule(value: unknown): value is { display: StockDisplay; newDisplay(): StockDisplay } {
  return typeof value === 'object' && value !== null && 'display' in value && 'newDisplay' in value;
}

/** Best first. The stock kernel sends one type at a time and only text, so a chart goes as its picture. */
const STOCK_TYPES = ['text/html', 'image/svg+xml', 'text/markdown', 'text/plain'];

function showOnStock(display: StockDisplay, bundle: MimeBundle): void {
  const type = STOCK_TYPES.find((name) => typeof bundle[name] === 'string') ?? 'text/plain';
  display.raw(type, String(bundle[type] ?? ''));
}

function print(bundle: MimeBundle): void {
  console.log(String(bundle['text/plain'] ?? bundle['text/markdown'] ?? Object.keys(bundle).join(', ')));
}
