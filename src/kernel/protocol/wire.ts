import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { userInfo } from 'node:os';
import { z } from 'zod';

/** The version of the Jupyter messaging protocol spoken here. */
export const PROTOCOL_VERSION = '5.4';

const DELIMITER = '<IDS|MSG>';

const headerSchema = z.looseObject({
  msg_id: z.string(),
  msg_type: z.string(),
  session: z.string().default(''),
  username: z.string().default(''),
  date: z.string().default(''),
  version: z.string().default(PROTOCOL_VERSION),
});

/** The header of a message of the Jupyter protocol. */
export type Header = z.infer<typeof headerSchema>;

const objectSchema = z.record(z.string(), z.unknown());

/** A message of the Jupyter protocol, as it travels on a socket. */
export interface Message {
  /** routing prefix: who a message comes from or goes to, or the topic of a broadcast */
  identities: Buffer[];
  header: Header;
  /** header of the message that caused this one; empty if there is none */
  parent: Header | Record<string, never>;
  metadata: Record<string, unknown>;
  content: Record<string, unknown>;
  buffers: Buffer[];
}

/** Signs and reads messages with the key of one connection. An empty key means no signatures. */
export class Wire {
  readonly session = randomUUID();
  readonly #key: string;
  readonly #username: string;

  constructor(key: string) {
    this.#key = key;
    this.#username = currentUser();
  }

  /** A message of ours, with a fresh header. */
  message(
    type: string,
    content: Record<string, unknown>,
    from: {
      parent?: Message['parent'];
      identities?: Buffer[];
      metadata?: Record<string, unknown>;
      buffers?: Buffer[];
    } = {},
  ): Message {
    const header: Header = {
      msg_id: randomUUID(),
      msg_type: type,
      session: this.session,
      username: this.#username,
      date: new Date().toISOString(),
      version: PROTOCOL_VERSION,
    };
    return {
      identities: from.identities ?? [],
      header,
      parent: from.parent ?? {},
      metadata: from.metadata ?? {},
      content,
      buffers: from.buffers ?? [],
    };
  }

  encode(message: Message): Buffer[] {
    const parts = [message.header, message.parent, message.metadata, message.content].map((part) =>
      Buffer.from(JSON.stringify(part)),
    );
    const signature = Buffer.from(this.#sign(parts));
    return [...message.identities, Buffer.from(DELIMITER), signature, ...parts, ...message.buffers];
  }

  /**
   * Reads a message.
   *
   * @returns undefined for what is no message of this connection: a wrong signature, or not the protocol at all
   */
  decode(frames: readonly Buffer[]): Message | undefined {
    const at = frames.findIndex((frame) => frame.toString('latin1') === DELIMITER);
    const [signature, header, parent, metadata, content] = frames.slice(at + 1);
    if (at < 0 || !signature || !header || !parent || !metadata || !content) return undefined;
    const expected = Buffer.from(this.#sign([header, parent, metadata, content]));
    if (expected.length !== signature.length || !timingSafeEqual(expected, signature)) return undefined;
    try {
      const parentFields = objectSchema.parse(JSON.parse(parent.toString()));
      return {
        identities: frames.slice(0, at),
        header: headerSchema.parse(JSON.parse(header.toString())),
        parent: 'msg_id' in parentFields ? headerSchema.parse(parentFields) : {},
        metadata: objectSchema.parse(JSON.parse(metadata.toString())),
        content: objectSchema.parse(JSON.parse(content.toString())),
        buffers: frames.slice(at + 6),
      };
    } catch {
      return undefined;
    }
  }

  #sign(parts: readonly Buffer[]): string {
    if (this.#key === '') return '';
    const hmac = createHmac('sha256', this.#key);
    for (const part of parts) hmac.update(part);
    return hmac.digest('hex');
  }
}

function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'user'; // a user id without a name, as in some containers
  }
}
