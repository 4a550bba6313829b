/** The grader's own failure: a reference that throws, a sandbox that cannot start. Never the learner's fault, never a zero. */
export class EnvironmentFault extends Error {
  name = 'EnvironmentFault';
}
