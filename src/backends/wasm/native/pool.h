// A pool of threads over shared memory. All state lives in a Pool that the caller allocates, because the module
// shares its memory with TensorFlow.js' module and so may own no addresses of its own: no static data, no heap.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define SCRATCH_FLOATS (160 * 1024)

typedef struct Pool Pool;

// One piece of a parallel region. `thread` counts from 0, the thread that opened the region.
typedef void (*Task)(Pool *pool, int thread, int job, const void *arguments);

struct Pool {
  _Atomic int32_t generation;  // counts regions; sleeping workers wait for it to change
  _Atomic int32_t open;        // 1 while a region hands out jobs
  _Atomic int32_t busy;        // workers inside a region
  _Atomic int32_t next;        // the next job
  int32_t jobs;
  Task task;
  const void *arguments;
  int32_t threads;             // workers + 1
  float *scratch;              // SCRATCH_FLOATS for each thread
};

static inline float *scratch_of(const Pool *pool, int thread) {
  return pool->scratch + (intptr_t)thread * SCRATCH_FLOATS;
}

// Runs `task` for jobs 0 … jobs−1 on all threads and returns when all are done.
void parallel(Pool *pool, Task task, int jobs, const void *arguments);
