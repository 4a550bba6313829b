/** Messages between grader and sandbox: [u32 length of the header][u32 length of the body][header, JSON][body, an encoded value]. */
import { z } from 'zod';
/** What the grader asks. */
export declare const request: z.ZodDiscriminatedUnion<
  [
    z.ZodObject<
      {
        op: z.ZodLiteral<'load'>;
        id: z.ZodNumber;
        cells: z.ZodArray<
          z.ZodObject<
            {
              name: z.ZodString;
              source: z.ZodString;
            },
            z.core.$strip
          >
        >;
        entry: z.ZodString;
        parameters: z.ZodArray<z.ZodString>;
      },
      z.core.$strip
    >,
    z.ZodObject<
      {
        op: z.ZodLiteral<'call'>;
        id: z.ZodNumber;
      },
      z.core.$strip
    >,
    z.ZodObject<
      {
        op: z.ZodLiteral<'gradients'>;
        id: z.ZodNumber;
        seed: z.ZodString;
      },
      z.core.$strip
    >,
  ],
  'op'
>;
export type Request = z.infer<typeof request>;
/** What the sandbox answers. Anything else ends it. */
export declare const response: z.ZodDiscriminatedUnion<
  [
    z.ZodObject<
      {
        kind: z.ZodLiteral<'started'>;
        id: z.ZodLiteral<0>;
      },
      z.core.$strip
    >,
    z.ZodObject<
      {
        kind: z.ZodLiteral<'loaded'>;
        id: z.ZodNumber;
      },
      z.core.$strip
    >,
    z.ZodObject<
      {
        kind: z.ZodLiteral<'refused'>;
        id: z.ZodNumber;
        message: z.ZodString;
        cell: z.ZodString;
      },
      z.core.$strip
    >,
    z.ZodObject<
      {
        kind: z.ZodLiteral<'returned'>;
        id: z.ZodNumber;
        leaked: z.ZodNumber;
        changed: z.ZodArray<z.ZodString>;
      },
      z.core.$strip
    >,
    z.ZodObject<
      {
        kind: z.ZodLiteral<'threw'>;
        id: z.ZodNumber;
        message: z.ZodString;
      },
      z.core.$strip
    >,
  ],
  'kind'
>;
export type Response = z.infer<typeof response>;
export interface Frame<Header> {
  readonly header: Header;
  readonly body: Buffer;
}
/** No exercise's inputs or outputs come near; a sandbox that says more is stopped. */
export declare const MAX_FRAME: number;
export declare function packFrame(header: Request | Response, body?: Buffer): Buffer;
/** How long the frame at the start of the bytes is, or undefined while its prefix is incomplete. */
export declare function frameLength(bytes: Buffer): number | undefined;
/** Splits a whole frame. @throws if the header is not what the schema says. */
export declare function unpackFrame<Header>(bytes: Buffer, schema: z.ZodType<Header>): Frame<Header>;
