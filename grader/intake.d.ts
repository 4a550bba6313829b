import type { SubmittedFile } from './grade.ts';
/**
 * The submissions at a path. In a folder (or a zip of one), a notebook is the submission of the learner it is named after, a folder or
 * zip that of the learner whose name it has; any other file is a submission that is no notebook.
 * @throws InputError if there is nothing, or nothing readable
 */
export declare function findSubmissions(source: string): Promise<SubmittedFile[]>;
