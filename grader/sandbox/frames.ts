/** Messages between grader and sandbox: [u32 length of the header][u32 length of the body][header, JSON][body, an encoded value]. */
import { z } from 'zod';

/** What the grader asks. */
export const request = z.discriminatedUnion('op', [
  /** Run these cells in a new engine and take the entry from it. */
  z.object({
    op: z.literal('load'),
    id: z.number(),
    cells: z.array(z.object({ name: z.string(), source: z.string() })),
    entry: z.string(),
    parameters: z.array(z.string()),
  }),
  z.object({ op: z.literal('call'), id: z.number() }),
  z.object({ op: z.literal('gradients'), id: z.number(), seed: z.string() }),
]);
export type Request = z.infer<typeof request>;

/** What the sandbox answers. Anything else ends it. */
export const response = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('started'), id: z.literal(0) }),
  z.object({ kind: z.literal('loaded'), id: z.number() }),
  /** A cell failed, or it declares no such function. `ours` if the cell is the released notebook's, not the learner's. */
  z.object({
    kind: z.literal('refused'),
    id: z.number(),
    message: z.string().max(4000),
    cell: z.string().max(200),
  }),
  z.object({
    kind: z.literal('returned'),
    id: z.number(),
    leaked: z.number(),
    /** Numbers of arguments. Nothing longer: a stranger who has seen hidden inputs could tell them here. */
    changed: z.array(z.string().regex(/^\d{1,2}$/)).max(100),
  }),
  z.object({ kind: z.literal('threw'), id: z.number(), message: z.string().max(4000) }),
]);
export type Response = z.infer<typeof response>;

export interface Frame<Header> {
  readonly header: Header;
  readonly body: Buffer;
}

/** No exercise's inputs or outputs come near; a sandbox that says more is stopped. */
export const MAX_FRAME = 16 * 1024 * 1024;
const PREFIX = 8;

export function packFrame(header: Request | Response, body: Buffer = Buffer.alloc(0)): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(body.length, 4);
  return Buffer.concat([prefix, text, body]);
}

/** How long the frame at the start of the bytes is, or undefined while its prefix is incomplete. */
export function frameLength(bytes: Buffer): number | undefined {
  return bytes.length < PREFIX ? undefined : PREFIX + bytes.readUInt32LE(0) + bytes.readUInt32LE(4);
}

/** Splits a whole frame. @throws if the header is not what the schema says. */
export function unpackFrame<Header>(bytes: Buffer, schema: z.ZodType<Header>): Frame<Header> {
  const end = PREFIX + bytes.readUInt32LE(0);
  const header = schema.parse(JSON.parse(bytes.toString('utf8', PREFIX, end)));
  return { header, body: bytes.subarray(end) };
}
