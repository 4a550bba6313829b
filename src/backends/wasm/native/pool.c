#include "pool.h"

#define EXPORT(name) __attribute__((export_name(#name)))

// How often to look before sleeping: a region is often followed by the next within microseconds.
#define SPINS 4000

static void take_jobs(Pool *pool, int thread) {
  for (;;) {
    const int job = atomic_fetch_add(&pool->next, 1);
    if (job >= pool->jobs) return;
    pool->task(pool, thread, job, pool->arguments);
  }
}

void parallel(Pool *pool, Task task, int jobs, const void *arguments) {
  if (pool->threads == 1 || jobs == 1) {
    for (int job = 0; job < jobs; job++) task(pool, 0, job, arguments);
    return;
  }
  pool->task = task;
  pool->arguments = arguments;
  pool->jobs = jobs;
  atomic_store(&pool->next, 0);
  atomic_store(&pool->open, 1);
  atomic_fetch_add(&pool->generation, 1);
  __builtin_wasm_memory_atomic_notify((int32_t *)&pool->generation, pool->threads - 1);
  take_jobs(pool, 0);
  // A worker that comes too late sees the region closed and leaves; only those inside are waited for.
  atomic_store(&pool->open, 0);
  for (int spins = 0;; spins++) {
    const int32_t busy = atomic_load(&pool->busy);
    if (busy == 0) return;
    if (spins > SPINS) __builtin_wasm_memory_atomic_wait32((int32_t *)&pool->busy, busy, 1000000);
  }
}

// What a worker thread does for ever; it ends when the thread is terminated.
EXPORT(work) void work(Pool *pool, int thread) {
  int32_t seen = 0;
  for (;;) {
    int32_t generation = atomic_load(&pool->generation);
    for (int spins = 0; generation == seen && spins < SPINS; spins++) generation = atomic_load(&pool->generation);
    if (generation == seen) {
      __builtin_wasm_memory_atomic_wait32((int32_t *)&pool->generation, seen, -1);
      continue;
    }
    seen = generation;
    atomic_fetch_add(&pool->busy, 1);
    if (atomic_load(&pool->open)) take_jobs(pool, thread);
    if (atomic_fetch_sub(&pool->busy, 1) == 1) {
      __builtin_wasm_memory_atomic_notify((int32_t *)&pool->busy, 1);
    }
  }
}

EXPORT(pool_bytes) int pool_bytes(void) { return sizeof(Pool); }

EXPORT(scratch_bytes) int scratch_bytes(void) { return SCRATCH_FLOATS * sizeof(float); }

EXPORT(open_pool) void open_pool(Pool *pool, int threads, float *scratch) {
  atomic_store(&pool->generation, 0);
  atomic_store(&pool->open, 0);
  atomic_store(&pool->busy, 0);
  pool->threads = threads;
  pool->scratch = scratch;
}
