/** What shows a long run while it goes: a loss curve that grows and a bar that fills. */

import { liveBundle, svgOf } from '../plots/chart.ts';
import { type LossCurve, lossCurve } from '../plots/lines.ts';
import { escapeMarkup } from '../plots/text.ts';
import { consoleProgress, type Progress } from '../training/progress.ts';
import { inNotebook, liveOutput } from './display.ts';

export interface LiveLossOptions extends Omit<LossCurve, 'curves'> {
  /** The curves to draw, in the order of the legend. */
  names: readonly string[];
  /** At most one drawing in so many milliseconds. Default 500. */
  every?: number;
}

export interface LiveLoss {
  /** Adds a point to each curve. Cheap; draws only now and then. */
  add(step: number, losses: Readonly<Record<string, number | undefined>>): void;
  /** Draws the whole run once more, with a picture for readers without Vega-Lite. */
  finish(): Promise<void>;
}

/** A chart of losses that is drawn anew in its place while training goes on. */
export function liveLoss({ names, every = 500, ...options }: LiveLossOptions): LiveLoss {
  const curves: Record<string, { step: number; loss: number }[]> = {};
  for (const name of names) curves[name] = [];
  const output = liveOutput();
  let drawn = Number.NEGATIVE_INFINITY;
  return {
    add(step, losses) {
      for (const name of names) {
        const loss = losses[name];
        if (loss !== undefined) curves[name]?.push({ step, loss });
      }
      const now = performance.now();
      if (now - drawn < every) return;
      drawn = now;
      output.update(liveBundle(lossCurve({ ...options, curves })));
    },
    async finish() {
      const last = lossCurve({ ...options, curves });
      output.finish({ ...liveBundle(last), 'image/svg+xml': await svgOf(last) });
    },
  };
}

/**
 * A progress bar for `train` and other long work: it fills in place and leaves one line behind. On a terminal it is
 * the console's.
 */
export function progressBar(label: string): Progress {
  if (!inNotebook()) return consoleProgress(label);
  const output = liveOutput();
  const started = performance.now();
  let drawn = Number.NEGATIVE_INFINITY;
  let last = { done: 0, total: 0, text: '' };
  const seconds = (milliseconds: number): string => `${Math.round(milliseconds / 1000)} s`;
  return {
    report(done, total, text) {
      last = { done, total, text };
      const now = performance.now();
      if (now - drawn < 250) return;
      drawn = now;
      const left = done === 0 ? '' : `, ${seconds(((now - started) / done) * (total - done))} left`;
      const line = `${label}: ${done} of ${total}, ${text}${left}`;
      output.update({
        'text/html': `<progress value="${done}" max="${total}" aria-label="${escapeMarkup(label)}"></progress> ${escapeMarkup(line)}`,
        'text/plain': line,
      });
    },
    end() {
      const line = `${label}: ${last.done} of ${last.total} in ${seconds(performance.now() - started)}, ${last.text}`;
      output.finish({ 'text/html': escapeMarkup(line), 'text/plain': line });
    },
  };
}
