import type { Exercise } from './define.ts';
/** All exercises, in the order of chapters as folders name them and of files within. Loaded once. */
export declare function allExercises(): Promise<readonly Exercise[]>;
/** The exercise of the id. @throws InputError if there is none, naming the nearest. */
export declare function findExercise(id: string): Promise<Exercise>;
