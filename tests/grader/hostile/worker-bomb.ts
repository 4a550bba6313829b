// Threads that start threads.
// at most: 0
// says: threw an error
const { Worker } = await import('node:worker_threads');
const bertPooler = () => {
  for (let i = 0; i < 1000; i++) new Worker('for(;;);', { eval: true });
};
