/** The grader's own failure: a reference that throws, a sandbox that cannot start. Never the learner's fault, never a zero. */
export declare class EnvironmentFault extends Error {
  readonly name = 'EnvironmentFault';
}
