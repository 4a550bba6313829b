/**
 * Zip archives (APPNOTE.TXT 6.3): reading strangers', writing our own. Only stored and deflated entries below 4 GiB are read; nothing is
 * ever extracted to disk, sizes are enforced while inflating, links and paths that climb out are refused.
 */
export interface ZipEntry {
  readonly name: string;
  /** Inflates the entry. Rejects if it is larger than it says or than a notebook may be, or damaged. */
  readonly read: () => Promise<Uint8Array>;
}
/** An archive that is damaged or was made to do harm. */
export declare class ZipError extends Error {
  readonly name = 'ZipError';
}
/** The files of an archive. @throws ZipError if it is no zip, or holds a link or a path that leaves it */
export declare function readZip(bytes: Uint8Array): Promise<ZipEntry[]>;
/** A file to pack; `executable` sets the mode 0755. */
export interface ZipInput {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly executable?: boolean;
}
/** An archive of the files. The same files give the same bytes: all carry the first date a zip can hold. */
export declare function writeZip(files: readonly ZipInput[]): Buffer;
