/** On a machine without a GPU, SwiftShader of Debian's chromium computes what a GPU would. */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { skipWithoutGpu } from './gpu.ts';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURES = 'tests/parity/fixtures';

function run(args: string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, LLM_LAB_BACKEND: 'webgpu' },
  });
}

const program = (body: string): string[] => [
  '--input-type=module',
  '-e',
  `import * as tf from '@tensorflow/tfjs-core';
   import { startBackend } from './src/backends/index.ts';
   ${body}`,
];

describe('webgpu', () => {
  it('computes sine and cosine to float32’s precision, also of large positions', (context) => {
    skipWithoutGpu(context);
    const { stdout } = run(
      program(`
        await startBackend();
        const x = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) * 0.731);
        const [sin, cos] = await Promise.all([tf.sin(x).data(), tf.cos(x).data()]);
        console.log(Math.max(...x.map((v, i) => Math.abs(sin[i] - Math.sin(v)))) < 1e-6);
        console.log(Math.max(...x.map((v, i) => Math.abs(cos[i] - Math.cos(v)))) < 1e-6);`),
    );
    expect(stdout).toBe('true\ntrue\n');
  });

  it('agrees with the reference on every fixture: outputs, gradients, generation', {
    timeout: 1_200_000,
  }, (context) => {
    skipWithoutGpu(context);
    const folders = readdirSync(join(ROOT, FIXTURES)).map((name) => join(FIXTURES, name));
    const { stdout, stderr, status } = run(['src/cli/main.ts', 'parity', ...folders]);
    expect(stdout.split('\n').filter((line) => line.includes('FAIL'))).toEqual([]);
    expect(stdout).toContain(`all ${folders.length} agree`);
    expect(stderr).toContain('backend: webgpu');
    expect(status).toBe(0);
  });
});
