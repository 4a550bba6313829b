/** A MIME bundle: for each MIME type a text, or a JSON value for the JSON types; binary types in base64. */
export type MimeBundle = Record<string, unknown>;

/** Where a display goes: a new one, one that can be updated, or an update of one. */
export interface DisplayOptions {
  displayId?: string;
  update?: boolean;
  metadata?: Record<string, unknown>;
}

/** What a kernel installs to receive displays. */
export type Publish = (bundle: MimeBundle, options?: DisplayOptions) => void;

/**
 * The global under which a kernel receives displays. A global, and not a module's variable: the library may be
 * loaded from more than one place in a process.
 */
export const PUBLISH = Symbol.for('llm-lab.display');

function isPublish(value: unknown): value is Publish {
  return typeof value === 'function';
}

/** Shows a MIME bundle in the notebook; outside of a kernel, prints its text. */
export function publish(bundle: MimeBundle, options: DisplayOptions = {}): void {
  const receiver: unknown = Reflect.get(globalThis, PUBLISH);
  if (isPublish(receiver)) receiver(bundle, options);
  else if (typeof bundle['text/plain'] === 'string') console.log(bundle['text/plain']);
}
