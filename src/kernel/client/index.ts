export {
  type CellMessage,
  type ExecuteOptions,
  type Execution,
  KernelClient,
  type StartOptions,
  startKernel,
} from './kernel-client.ts';
export { findKernel, type KernelSpec } from './kernel-specs.ts';
export {
  type Notebook,
  type NotebookCell,
  parseNotebook,
  readNotebook,
  sourceOf,
  writeNotebook,
} from './notebook-file.ts';
export { type CellFailure, type NotebookRun, type RunNotebookOptions, runNotebook } from './run-notebook.ts';
