/** A name that is safe on every file system; changed names carry a piece of a hash, so that no two collide. */
export declare function fileNameOf(learner: string): string;
