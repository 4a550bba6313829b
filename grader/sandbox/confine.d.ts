export type Confinement = 'bubblewrap' | 'permissions';
export interface Confined {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}
/** The strongest confinement that works on this machine; tried once. */
export declare function bestConfinement(): Promise<Confinement>;
/** What a report says about a confinement that is weaker than it should be. */
export declare function confinementWarning(confinement: Confinement): string | undefined;
export interface ConfineOptions {
  /** Most memory of the JavaScript heap and of the process, in MiB. */
  readonly memoryMb: number;
  /** Compiled code to start from; only bubblewrap can keep it safe from the learner's. */
  readonly cache?: string;
  /** Only start Node and leave: to see whether the confinement works. */
  readonly probe?: boolean;
}
/** The command that starts a harness under the confinement. */
export declare function confine(
  confinement: Confinement,
  { memoryMb, cache, probe: onlyProbe }: ConfineOptions,
): Confined;
/** Compiled code for sandboxes under the confinement, where it can be used. */
export declare function cacheFor(confinement: Confinement): Promise<string | undefined>;
