/** On a machine without a GPU, SwiftShader of Debian's chromium computes what a GPU would. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

function run(args: string[]): { stdout: string; stderr: string; status: number | null } {
  const driver = process.env.VK_DRIVER_FILES ?? (existsSync(SWIFTSHADER) ? SWIFTSHADER : '');
  return spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, VK_DRIVER_FILES: driver, LLM_LAB_BACKEND: 'webgpu' },
  });
}

const program = (body: string): string[] => [
  '--input-type=module',
  '-e',
  `import * as tf from '@tensorflow/tfjs-core';
   import { startBackend } from './src/backends/index.ts';
   ${body}`,
];

const probe = run(program('try { await startBackend(); } catch (error) { console.log(error.message); }'));

function skipWithoutDriver(context: TestContext): void {
  if (probe.stdout !== '') context.skip(probe.stdout.trim());
}

describe('webgpu', () => {
  it('computes sine and cosine to float32’s precision, also of large positions', (context) => {
    skipWithoutDriver(context);
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

  it('agrees with the reference on outputs, gradients and generation', { timeout: 300_000 }, (context) => {
    skipWithoutDriver(context);
    const names = ['bert-pre-training', 'gpt2-lm', 'llama-lm-llama3', 't5-model', 'bart-model'];
    const folders = names.map((name) => `tests/parity/fixtures/${name}`);
    const { stdout, stderr, status } = run(['src/cli/main.ts', 'parity', ...folders]);
    expect(stdout.split('\n').filter((line) => line.includes('FAIL'))).toEqual([]);
    expect(stderr).toContain('backend: webgpu');
    expect(status).toBe(0);
  });
});
