import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { InputError, messageOf } from '../../errors.ts';

const port = z.number().int().min(0).max(65_535);

const connectionSchema = z.looseObject({
  transport: z.enum(['tcp', 'ipc']).default('tcp'),
  ip: z.string().default('127.0.0.1'),
  shell_port: port,
  iopub_port: port,
  stdin_port: port,
  control_port: port,
  hb_port: port,
  key: z.string().default(''),
  signature_scheme: z.literal('hmac-sha256').default('hmac-sha256'),
});

/** Where the sockets of a kernel are: the content of a Jupyter connection file. */
export type Connection = z.infer<typeof connectionSchema>;

/** The five channels of a kernel. */
export type Channel = 'shell' | 'iopub' | 'stdin' | 'control' | 'hb';

/**
 * Reads a connection file.
 *
 * @throws {InputError} if it cannot be read or is no connection file
 */
export function readConnection(path: string): Connection {
  try {
    return connectionSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const reason =
      error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : messageOf(error);
    throw new InputError(`${path} is not a Jupyter connection file: ${reason}`);
  }
}

/** The ZeroMQ address of a channel. */
export function addressOf(connection: Connection, channel: Channel): string {
  const number = connection[`${channel}_port`];
  return connection.transport === 'ipc'
    ? `ipc://${connection.ip}-${number}`
    : `tcp://${connection.ip}:${number}`;
}
