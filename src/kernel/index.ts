export { createEngine, type Engine, type EngineOptions, type RunResult } from './engine/index.ts';
export { DISPLAY_NAME, KERNEL_NAME } from './info.ts';
export { type InstallOptions, installKernel, kernelSpec } from './install.ts';
