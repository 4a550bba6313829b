// Threads that share the jobs of one kernel. The thread that calls takes part.
#pragma once

#include <cstdint>
#include <functional>

// Starts the threads; called once. Without it everything runs on the thread that calls.
void open_pool(int threads);

int pool_threads();

// Calls work(job, thread) for every job from 0 to jobs - 1, each on some thread from 0 to pool_threads() - 1.
void parallel(int64_t jobs, const std::function<void(int64_t job, int thread)> &work);

// The same for stretches [from, to) of at least `least` elements.
void parallel_ranges(int64_t size, int64_t least, const std::function<void(int64_t from, int64_t to)> &work);

// Memory of a thread's own, kept for the next kernel: at least `count` numbers, aligned to cache lines.
float *scratch(int thread, int64_t count);

// Memory that all threads of one kernel may share.
float *shared_scratch(int64_t count);
