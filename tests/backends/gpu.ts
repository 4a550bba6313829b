/**
 * A GPU for the tests: the machine's own, else SwiftShader of Debian's chromium, which computes on the processor what a
 * GPU would.
 */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { messageOf } from '../../src/errors.ts';

const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Why there is no GPU here; undefined if there is one. */
export const NO_GPU: string | undefined = findGpu();

/** Sets VK_DRIVER_FILES for this process if it takes SwiftShader. */
function findGpu(): string | undefined {
  const problem = problemOfAdapter();
  if (problem === undefined || process.env.VK_DRIVER_FILES || !existsSync(SWIFTSHADER)) return problem;
  process.env.VK_DRIVER_FILES = SWIFTSHADER;
  return problemOfAdapter();
}

function problemOfAdapter(): string | undefined {
  const program = join(import.meta.dirname, '../../src/backends/webgpu/adapter.ts');
  try {
    const answer = execFileSync(process.execPath, [program], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return answer.includes('"device"') ? undefined : `webgpu: ${answer.trim()}`;
  } catch (error) {
    return `webgpu: ${messageOf(error)}`;
  }
}

export function skipWithoutGpu(context: TestContext): void {
  if (NO_GPU !== undefined) context.skip(NO_GPU);
}
