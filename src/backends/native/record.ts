/** What `lab backend install` writes down beside what it has built. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type NativeName, nativeFolder } from './index.ts';

/** The file's name in the folder of the backend. */
export const RECORD = 'installed.json';

const recordSchema = z.object({
  tensorflow: z.string(),
  installed: z.string(),
  /** The version of the lab's own kernels in the addon; absent if it has none. */
  kernels: z.number().optional(),
  /** Why it has none, where they were wanted. */
  kernelsProblem: z.string().optional(),
});

export type InstallRecord = z.infer<typeof recordSchema>;

/** What is installed for a backend by `installNative`; undefined if nothing is. */
export function installedNative(name: NativeName): InstallRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(join(nativeFolder(name), RECORD), 'utf8')));
  } catch {
    return undefined;
  }
}
