/** What cells see besides Node's globals. */

/** Asks the person in front of the notebook for a line of text; null if they give none. */
declare function prompt(message?: string, defaultValue?: string): string | null;
