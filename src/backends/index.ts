/**
 * Choosing and starting what computes. Every program and notebook calls `startBackend()` once, before its first tensor.
 */

import * as tf from '@tensorflow/tfjs-core';
import '../core/gradients.ts';
import { InputError, messageOf } from '../errors.ts';
import {
  BACKEND_NAMES,
  type Backend,
  type BackendInfo,
  type BackendName,
  type BackendProbe,
  isBackendName,
} from './backend.ts';
import { cpuBackend } from './cpu.ts';
import { nativeBackend } from './native/index.ts';
import { wasmBackend } from './wasm/index.ts';
import { webgpuBackend } from './webgpu/index.ts';

export type { BackendInfo, BackendName, BackendProbe } from './backend.ts';

const BACKENDS: Readonly<Record<BackendName, Backend>> = {
  wasm: wasmBackend,
  tensorflow: nativeBackend('tensorflow'),
  cuda: nativeBackend('cuda'),
  webgpu: webgpuBackend,
  cpu: cpuBackend,
};

/** What is taken when nobody chooses, the first that starts. The last is always there. */
const PREFERENCE: readonly BackendName[] = ['cuda', 'tensorflow', 'wasm'];

let current: BackendInfo | undefined;
const announced = new Set<BackendName>();
let starting: Promise<BackendInfo> | undefined;

/** The backend that was started, undefined before. */
export function currentBackend(): BackendInfo | undefined {
  return current;
}

/** Whether each backend can be used here, without starting any. */
export async function probeBackends(): Promise<BackendProbe[]> {
  return Promise.all(BACKEND_NAMES.map((name) => BACKENDS[name].probe()));
}

/**
 * Starts a backend and prints which and why on standard error, once. Later calls without a name return the one that
 * runs; with another name they switch to it, and tensors of the first cannot be used any more.
 *
 * @param name one of `BACKEND_NAMES`; without it, the environment variable LLM_LAB_BACKEND, else the fastest that is
 *   installed: `cuda`, `tensorflow`, `wasm`.
 * @throws InputError if there is no such backend, or it is not installed or does not start.
 */
export async function startBackend(name?: string): Promise<BackendInfo> {
  await starting?.catch(() => undefined);
  if (current !== undefined && (name === undefined || name === current.name)) return current;
  starting = choose(name);
  try {
    const info = await starting;
    current = info;
    if (!announced.has(info.name))
      process.stderr.write(`backend: ${info.name} on ${info.device} (${info.reason})\n`);
    announced.add(info.name);
    return info;
  } finally {
    starting = undefined;
  }
}

async function choose(name: string | undefined): Promise<BackendInfo> {
  // Keeps TensorFlow.js from advertising its native package whenever the cpu backend lends a kernel.
  tf.env().set('PROD', true);
  if (name !== undefined) return startNamed(name, 'asked for', 'startBackend');
  const wanted = process.env.LLM_LAB_BACKEND;
  if (wanted) return startNamed(wanted, 'LLM_LAB_BACKEND', 'LLM_LAB_BACKEND');
  return startPreferred();
}

async function startNamed(name: string, reason: string, source: string): Promise<BackendInfo> {
  if (!isBackendName(name)) {
    throw new InputError(
      `${source}: unknown backend ${JSON.stringify(name)}, expected one of ${BACKEND_NAMES.join(', ')}`,
    );
  }
  const backend = BACKENDS[name];
  const { available, detail, mend } = await backend.probe();
  if (!available) {
    const hint = mend === undefined ? '' : `; ${mend}`;
    throw new InputError(`${source}: the backend ${name} cannot be used here: ${detail}${hint}`);
  }
  try {
    return { name, reason, device: await backend.start() };
  } catch (error) {
    const others = (await probeBackends()).filter((probe) => probe.available && probe.name !== name);
    throw new InputError(
      `${source}: the backend ${name} does not start: ${messageOf(error)}; ` +
        `possible here: ${others.map((other) => other.name).join(', ')}`,
    );
  }
}

async function startPreferred(): Promise<BackendInfo> {
  const failures: string[] = [];
  for (const name of PREFERENCE) {
    const backend = BACKENDS[name];
    if (!(await backend.probe()).available) continue;
    try {
      const device = await backend.start();
      const reason = name === 'wasm' ? 'the default' : 'the fastest installed';
      return { name, device, reason: [reason, ...failures].join('; ') };
    } catch (error) {
      failures.push(`${name} is installed but does not start: ${messageOf(error)}`);
    }
  }
  throw new InputError(`no backend starts: ${failures.join('; ')}`);
}
