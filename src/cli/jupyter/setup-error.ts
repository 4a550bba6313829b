/** This machine lacks something or a set-up step failed: no fault of the input. Printed as `lab: …`, exit code 1. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
