/** The list of the commands, in the order of `lab --help`. A command lives in `commands/<name>.ts`. */
import type { Command } from 'commander';

export interface CommandEntry {
  /** What it does, in one line of `lab --help`. */
  readonly summary: string;
  /** Imports and makes the command; called only when it runs or its own help is asked for. */
  readonly load: () => Promise<Command>;
}

export const commands: Readonly<Record<string, CommandEntry>> = {
  start: {
    summary: 'set up everything and open the course in JupyterLab',
    load: async () => (await import('./commands/start.ts')).startCommand(),
  },
  doctor: {
    summary: 'look at what is installed here and say how to mend what is not',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  },
  test: {
    summary: 'set up everything and run all tests of the lab',
    load: async () => (await import('./commands/test.ts')).testCommand(),
  },
  parity: {
    summary: 'compare models with recorded outputs of the reference implementation',
    load: async () => (await import('./commands/parity.ts')).parityCommand(),
  },
  notebooks: {
    summary: 'make the notebooks from their masters in notebooks/source',
    load: async () => (await import('./commands/notebooks.ts')).notebooksCommand(),
  },
  grade: {
    summary: 'grade a folder of notebooks, one learner each',
    load: async () => (await import('./commands/grade.ts')).gradeCommand(),
  },
  worker: {
    summary: 'grade what lab grade --queue puts in line, on this machine',
    load: async () => (await import('./commands/worker.ts')).workerCommand(),
  },
  check: {
    summary: 'run the public cases of a notebook before it is handed in',
    load: async () => (await import('./commands/check.ts')).checkCommand(),
  },
  release: {
    summary: 'notebooks for nbgrader, an autograder for Gradescope, a template for GitHub',
    load: async () => (await import('./commands/release.ts')).releaseCommand(),
  },
  gradebook: {
    summary: 'rosters, marks, extensions, exports and backups of a workshop',
    load: async () => (await import('./commands/gradebook.ts')).gradebookCommand(),
  },
  exercises: {
    summary: 'list all exercises with their cases and known mistakes',
    load: async () => (await import('./commands/exercises.ts')).exercisesCommand(),
  },
  run: {
    summary: 'execute notebooks and save their outputs',
    load: async () => (await import('./commands/run.ts')).runCommand(),
  },
  kernel: {
    summary: 'install the TypeScript kernel for Jupyter',
    load: async () => (await import('./commands/kernel.ts')).kernelCommand(),
  },
  backend: {
    summary: 'see what can compute here, and install TensorFlow’s library',
    load: async () => (await import('./commands/backend.ts')).backendCommand(),
  },
  bench: {
    summary: 'measure the backends, beside PyTorch where Python has it',
    load: async () => (await import('./commands/bench.ts')).benchCommand(),
  },
  workshop: {
    summary: 'open a workshop: rooms, live progress, a gradebook',
    load: async () => (await import('./commands/workshop.ts')).workshopCommand(),
  },
  join: {
    summary: 'join the room of a workshop',
    load: async () => (await import('./commands/join.ts')).joinCommand(),
  },
  leave: {
    summary: 'leave the room of a workshop',
    load: async () => (await import('./commands/leave.ts')).leaveCommand(),
  },
  'hand-in': {
    summary: 'hand a notebook in to the room of a workshop',
    load: async () => (await import('./commands/hand-in.ts')).handInCommand(),
  },
  progress: {
    summary: 'the address of your own page in the room',
    load: async () => (await import('./commands/progress.ts')).progressCommand(),
  },
};
