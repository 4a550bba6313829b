#include "pool.h"

#include <pthread.h>
#include <time.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

namespace {

struct Buffer {
  float *at = nullptr;
  int64_t count = 0;

  float *of(int64_t wanted) {
    if (wanted > count) {
      free(at);
      at = nullptr, count = 0;
      void *made = nullptr;
      if (posix_memalign(&made, 64, sizeof(float) * (wanted + 16)) != 0) throw std::bad_alloc();
      at = static_cast<float *>(made), count = wanted;
    }
    return at;
  }
};

// Everything is on the heap and never freed: the threads sleep here when the process ends. One kernel runs at a time.
struct Pool {
  int threads = 1;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
  std::atomic<uint64_t> round{0};  // counts kernels
  std::atomic<int> sleeping{0};
  std::atomic<int> working{0};
  std::atomic<int64_t> next{0};
  int64_t jobs = 0;
  const std::function<void(int64_t, int)> *work = nullptr;
  std::vector<Buffer> buffers{2};
};

Pool &pool() {
  static Pool *const made = new Pool();
  return *made;
}

int64_t nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Kernels follow each other within microseconds, so a thread looks for the next one before it goes to sleep.
constexpr int64_t SPIN_NANOSECONDS = 50000;

template <typename Done>
bool spin_until(Done done) {
  for (int64_t end = 0;;) {
    for (int i = 0; i < 64; i++) {
      if (done()) return true;
      pause();
    }
    const int64_t now = nanoseconds();
    if (end == 0) end = now + SPIN_NANOSECONDS;
    if (now > end) return false;
  }
}

void take_jobs(Pool &p, int thread) {
  for (int64_t job = p.next++; job < p.jobs; job = p.next++) (*p.work)(job, thread);
}

void *thread_main(void *argument) {
  Pool &p = pool();
  const int thread = static_cast<int>(reinterpret_cast<intptr_t>(argument));
  for (uint64_t seen = 0;;) {
    if (!spin_until([&] { return p.round.load() != seen; })) {
      pthread_mutex_lock(&p.mutex);
      p.sleeping++;
      while (p.round.load() == seen) pthread_cond_wait(&p.wake, &p.mutex);
      p.sleeping--;
      pthread_mutex_unlock(&p.mutex);
    }
    seen++;
    take_jobs(p, thread);
    p.working--;
  }
  return nullptr;
}

}  // namespace

void open_pool(int threads) {
  Pool &p = pool();
  if (p.threads > 1) return;
  int running = 1;
  p.buffers.resize(threads + 1);
  for (; running < threads; running++) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, thread_main, reinterpret_cast<void *>(intptr_t{running})) != 0) break;
    pthread_detach(thread);
  }
  p.threads = running;
}

int pool_threads() { return pool().threads; }

void parallel(int64_t jobs, const std::function<void(int64_t, int)> &work) {
  Pool &p = pool();
  if (jobs <= 1 || p.threads == 1) {
    for (int64_t job = 0; job < jobs; job++) work(job, 0);
    return;
  }
  p.jobs = jobs, p.work = &work;
  p.next = 0;
  p.working = p.threads - 1;
  p.round++;
  if (p.sleeping > 0) {
    pthread_mutex_lock(&p.mutex);
    pthread_cond_broadcast(&p.wake);
    pthread_mutex_unlock(&p.mutex);
  }
  take_jobs(p, 0);
  while (!spin_until([&] { return p.working.load() == 0; })) sched_yield();
}

void parallel_ranges(int64_t size, int64_t least, const std::function<void(int64_t, int64_t)> &work) {
  if (size <= 0) return;
  const int64_t most = 4 * int64_t{pool_threads()};
  int64_t pieces = (size + least - 1) / least;
  if (pieces > most) pieces = most;
  parallel(pieces, [&](int64_t piece, int) { work(size * piece / pieces, size * (piece + 1) / pieces); });
}

float *scratch(int thread, int64_t count) { return pool().buffers[thread].of(count); }

float *shared_scratch(int64_t count) { return pool().buffers.back().of(count); }
