/**
 * nbgrader's metadata, version 3: the rules of `nbgrader/nbgraderformat/v3.json` and of `MetadataValidatorV3` beside it
 * (https://github.com/jupyter/nbgrader), and its checksum, written from `nbgrader.utils.compute_checksum`.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';

export const nbgraderSchema = z.strictObject({
  schema_version: z.literal(3),
  grade: z.boolean(),
  locked: z.boolean(),
  solution: z.boolean(),
  task: z.boolean().optional(),
  grade_id: z
    .string()
    .regex(/^[a-zA-Z0-9_-]*$/)
    .optional(),
  points: z.number().nonnegative().optional(),
  checksum: z.string().length(32).optional(),
  cell_type: z.enum(['raw', 'code', 'markdown']).optional(),
});

interface Cell {
  readonly cell_type: string;
  readonly source: readonly string[];
  readonly metadata: { readonly [key: string]: unknown };
}

const python = (flag: boolean): string => (flag ? 'True' : 'False');

/** Everything nbgrader would refuse or find tampered with, a sentence each. */
export function nbgraderFaults(cells: readonly Cell[]): string[] {
  const ids = new Set<string>();
  return cells.flatMap(({ cell_type, source, metadata }, index) => {
    if (!('nbgrader' in metadata)) return [];
    const parsed = nbgraderSchema.safeParse(metadata.nbgrader);
    if (!parsed.success) return [`cell ${index}: ${z.prettifyError(parsed.error)}`];
    const { grade, solution, locked, task = false, grade_id = '', points, checksum } = parsed.data;
    const faults: string[] = [];
    if ((grade || solution || locked) && grade_id === '') faults.push('it has no grade_id');
    if (ids.has(grade_id)) faults.push(`its grade_id ${grade_id} is taken`);
    ids.add(grade_id);
    if (grade && points === undefined) faults.push('it is graded and has no points');
    if (task && cell_type !== 'markdown') faults.push('it is a task and no markdown cell');
    if (!task && cell_type === 'markdown' && grade !== solution)
      faults.push('it is a markdown cell and either graded or a solution, not both');
    if (parsed.data.cell_type !== undefined && parsed.data.cell_type !== cell_type)
      faults.push('its cell type is another than in its metadata');
    // A graded cell that is no solution is locked, a solution never, any other as it says.
    const reallyLocked = solution ? false : grade ? true : locked;
    const text = [
      source.join(''),
      cell_type,
      python(grade),
      python(solution),
      python(reallyLocked),
      grade_id,
    ];
    if (grade) text.push(Number.isInteger(points) ? `${points}.0` : `${points}`);
    if (checksum !== createHash('md5').update(text.join(''), 'utf8').digest('hex'))
      faults.push('its checksum is wrong');
    return faults.map((fault) => `cell ${index}: ${fault}`);
  });
}
