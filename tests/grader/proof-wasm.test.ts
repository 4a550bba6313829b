/** What notebooks run on. */
import { startBackend } from '../../src/backends/index.ts';
import { proveEverything } from './proof.ts';

proveEverything('wasm', () => startBackend('wasm'));
