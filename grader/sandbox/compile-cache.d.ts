/** The folder of the cache for the present sources, made if it is missing; undefined if it cannot be. */
export declare function compileCache(root: string, harness: string): Promise<string | undefined>;
