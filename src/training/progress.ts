/** Showing how far a long piece of work has come. */

/** Something that shows progress: a bar on a terminal, an output in a notebook. */
export interface Progress {
  /** `done` of `total` steps, with a few words on how it goes. Called often, so it must be cheap. */
  report(done: number, total: number, text: string): void;
  /** The work ended, well or not. */
  end(): void;
}

/** Where progress is written: standard error, or what a test looks at. */
export interface ProgressStream {
  isTTY?: boolean;
  write(text: string): unknown;
}

const BAR = 24;

/**
 * Progress on standard error: a bar that redraws itself on a terminal, at most ten times a second, and a plain line
 * for every tenth of the work elsewhere.
 */
export function consoleProgress(label: string, stream: ProgressStream = process.stderr): Progress {
  const started = performance.now();
  let drawn = Number.NEGATIVE_INFINITY;
  let tenths = 0;
  let open = false;
  return {
    report(done, total, text) {
      const now = performance.now();
      const remaining = done === 0 ? '' : `, ${duration(((now - started) / done) * (total - done))} left`;
      const line = `${label} ${done}/${total} ${text}${remaining}`;
      if (stream.isTTY) {
        if (now - drawn < 100 && done < total) return;
        drawn = now;
        const filled = Math.round((BAR * done) / Math.max(1, total));
        stream.write(`\r\u001b[2K${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${line}`);
        open = true;
      } else if (Math.floor((10 * done) / Math.max(1, total)) > tenths) {
        tenths = Math.floor((10 * done) / Math.max(1, total));
        stream.write(`${line}\n`);
      }
    },
    end() {
      if (open) stream.write('\n');
      open = false;
    },
  };
}

function duration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
