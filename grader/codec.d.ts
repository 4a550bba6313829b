import { type Value } from './values.ts';
/** Bytes that are no value. */
export declare class CodecError extends Error {
  readonly name = 'CodecError';
}
/** [u32 length of the skeleton][skeleton][raw bytes] */
export declare function encodeValue(value: Value): Buffer;
/** The value of bytes made by `encodeValue`. @throws CodecError for anything else. */
export declare function decodeValue(bytes: Buffer): Value;
