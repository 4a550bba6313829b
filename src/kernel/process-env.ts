import { join } from 'node:path';

/**
 * The environment of a kernel's processes. With the cache of compiled modules on from the first line, Node does not
 * even load what erases types (25 MB); with one arena, the C library keeps less of what was freed.
 */
export const PROCESS_ENV = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, '..', '..', '.cache', 'node'),
  MALLOC_ARENA_MAX: '1',
};
