/**
 * Something a person gave us is wrong: a file, an option, a shape. The message is one sentence that names
 * the thing and the reason. Commands print it without a stack trace and exit with code 2.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
