import type { KernelClient } from './kernel-client.ts';
import { startKernel } from './kernel-client.ts';
import type { KernelSpec } from './kernel-specs.ts';
import { type Notebook, type NotebookCell, sourceOf, upgradeNotebook } from './notebook-file.ts';
import { type Output, OutputCollector } from './outputs.ts';

/** A cell that did not end well. */
export interface CellFailure {
  /** position among the code cells, from 1 */
  number: number;
  id: string;
  kind: 'error' | 'timeout';
  ename: string;
  evalue: string;
  traceback: string[];
}

/** How the execution of a notebook went. */
export interface NotebookRun {
  /** the notebook with its outputs, valid under nbformat 4.5 */
  notebook: Notebook;
  /** cells that failed; empty if all went well */
  failures: CellFailure[];
  codeCells: number;
  executed: number;
  milliseconds: number;
}

/** How to execute a notebook. */
export interface RunNotebookOptions {
  /** a kernel's name or specification; default: this package's */
  kernel?: string | KernelSpec;
  /** the folder cells run in */
  cwd?: string;
  /** milliseconds a cell may take; default 600 000 */
  timeout?: number;
  /** go on after a cell that failed */
  allowErrors?: boolean;
  onCellStart?: (number: number, total: number) => void;
  onCellEnd?: (number: number, total: number, milliseconds: number, failure: CellFailure | undefined) => void;
  /** hears of the running kernel, to end it early */
  onKernel?: (client: KernelClient) => void;
}

const DEFAULT_TIMEOUT = 600_000;

/** Executes the code cells of a notebook in a fresh kernel, which is gone afterwards. The notebook given is not changed. */
export async function runNotebook(source: Notebook, options: RunNotebookOptions = {}): Promise<NotebookRun> {
  const notebook = structuredClone(source);
  upgradeNotebook(notebook);
  const cells = notebook.cells.filter((cell) => cell.cell_type === 'code');
  for (const cell of cells) Object.assign(cell, { outputs: [], execution_count: null });
  const start = performance.now();
  const client = await startKernel({
    ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  options.onKernel?.(client);
  const failures: CellFailure[] = [];
  const collector = new OutputCollector();
  let executed = 0;
  try {
    for (const [index, cell] of cells.entries()) {
      if (sourceOf(cell).trim() === '') continue;
      options.onCellStart?.(index + 1, cells.length);
      const cellStart = performance.now();
      const failure = await runCell(client, cell, index + 1, collector, options.timeout ?? DEFAULT_TIMEOUT);
      executed += 1;
      options.onCellEnd?.(index + 1, cells.length, performance.now() - cellStart, failure);
      if (!failure) continue;
      failures.push(failure);
      if (!options.allowErrors && !mayFail(cell)) break;
    }
    notebook.metadata.language_info = languageInfo(
      await client.session.request('shell', 'kernel_info_request'),
    );
  } finally {
    await client.shutdown();
  }
  const unexpected = failures.filter(({ number }) => {
    const cell = cells[number - 1];
    return !cell || !mayFail(cell);
  });
  const milliseconds = performance.now() - start;
  return { notebook, failures: unexpected, codeCells: cells.length, executed, milliseconds };
}

/** A cell that is there to show an error says so with Jupyter's tag. */
function mayFail(cell: NotebookCell): boolean {
  const { tags } = cell.metadata;
  return Array.isArray(tags) && tags.includes('raises-exception');
}

function languageInfo(reply: { content: Record<string, unknown> }): unknown {
  const info = reply.content.language_info;
  return typeof info === 'object' && info !== null ? info : { name: 'unknown' };
}

async function runCell(
  client: KernelClient,
  cell: NotebookCell,
  number: number,
  collector: OutputCollector,
  timeout: number,
): Promise<CellFailure | undefined> {
  const outputs: Output[] = collector.begin();
  cell.outputs = outputs;
  const id = cell.id ?? '';
  let execution: Awaited<ReturnType<KernelClient['execute']>>;
  try {
    execution = await client.execute(sourceOf(cell), {
      timeout,
      stopOnError: false,
      onMessage: (message) => collector.add(message),
    });
  } catch (error) {
    const evalue = String(error instanceof Error ? error.message : error);
    outputs.push({ output_type: 'error', ename: 'KernelError', evalue, traceback: [evalue] });
    return { number, id, kind: 'error', ename: 'KernelError', evalue, traceback: [evalue] };
  }
  const { reply, isTimedOut } = execution;
  const count = reply.execution_count;
  cell.execution_count = typeof count === 'number' ? count : null;
  if (isTimedOut) {
    const evalue = `the cell took longer than ${timeout / 1000} s and was interrupted`;
    return { number, id, kind: 'timeout', ename: 'Timeout', evalue, traceback: [evalue] };
  }
  const error = outputs.findLast((output) => output.output_type === 'error');
  if (reply.status === 'ok' && !error) return undefined;
  const { ename, evalue, traceback } = error ?? reply;
  return {
    number,
    id,
    kind: 'error',
    ename: String(ename),
    evalue: String(evalue),
    traceback: Array.isArray(traceback) ? traceback.map(String) : [],
  };
}
