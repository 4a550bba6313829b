/** Reading Parquet, the format in which hubs keep data sets. */

import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type * as z from 'zod';
import { InputError, messageOf } from '../errors.ts';

export interface ParquetOptions {
  /** The columns to read; each row is an object with these. */
  columns: string[];
  /** At most so many rows, from the first on. All unless given. */
  limit?: number | undefined;
}

/**
 * The rows of a Parquet file as records. Whole numbers of 64 bits arrive as bigint: let the schema say what becomes of them.
 *
 * @throws InputError if the file is missing, damaged or has other columns, or naming the first row that is not as expected
 */
export async function readParquet<T>(
  path: string,
  schema: z.ZodType<T>,
  { columns, limit }: ParquetOptions,
): Promise<T[]> {
  let rows: unknown[];
  try {
    const file = await asyncBufferFromFile(path);
    rows = await parquetReadObjects({ file, columns, ...(limit !== undefined && { rowEnd: limit }) });
  } catch (error) {
    throw new InputError(
      `${path}: cannot be read as Parquet (${messageOf(error)}): delete it to fetch it anew`,
    );
  }
  return rows.map((row, index) => {
    const result = schema.safeParse(row);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    throw new InputError(
      `${path}: row ${index}: ${issue?.path.join('.') || 'the row'}: ${issue?.message ?? 'is not valid'}`,
    );
  });
}
