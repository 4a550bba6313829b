/**
 * A notebook of format 4.5: the rules of nbformat's `nbformat.v4.5.schema.json` (https://github.com/jupyter/nbformat), and those that its
 * text puts beside the schema: ids are unique.
 */
import { z } from 'zod';

const lines = z.union([z.string(), z.array(z.string())]);
const mimeBundle = z
  .record(z.string(), z.unknown())
  .refine(
    (bundle) =>
      Object.entries(bundle).every(
        ([mime, data]) => /^application\/(?:.*\+)?json$/.test(mime) || lines.safeParse(data).success,
      ),
    'data that are not JSON are text or lines of text',
  );
const metadata = z.looseObject({});
const count = z.number().int().nonnegative().nullable();

const output = z.discriminatedUnion('output_type', [
  z.strictObject({
    output_type: z.literal('execute_result'),
    execution_count: count,
    data: mimeBundle,
    metadata,
  }),
  z.strictObject({ output_type: z.literal('display_data'), data: mimeBundle, metadata }),
  z.strictObject({ output_type: z.literal('stream'), name: z.string(), text: lines }),
  z.strictObject({
    output_type: z.literal('error'),
    ename: z.string(),
    evalue: z.string(),
    traceback: z.array(z.string()),
  }),
]);

const cellMetadata = z.looseObject({
  name: z.string().min(1).optional(),
  tags: z.array(z.string().regex(/^[^,]+$/)).optional(),
  jupyter: z.looseObject({}).optional(),
  collapsed: z.boolean().optional(),
  scrolled: z.union([z.boolean(), z.literal('auto')]).optional(),
});
const common = {
  id: z.string().regex(/^[a-zA-Z0-9-_]{1,64}$/),
  metadata: cellMetadata,
  source: lines,
};
const attachments = z.record(z.string(), mimeBundle).optional();

const cell = z.discriminatedUnion('cell_type', [
  z.strictObject({ cell_type: z.literal('raw'), ...common, attachments }),
  z.strictObject({ cell_type: z.literal('markdown'), ...common, attachments }),
  z.strictObject({
    cell_type: z.literal('code'),
    ...common,
    outputs: z.array(output),
    execution_count: count,
  }),
]);

export const notebookSchema = z
  .strictObject({
    nbformat: z.literal(4),
    nbformat_minor: z.number().int().min(5),
    metadata: z.looseObject({
      kernelspec: z.looseObject({ name: z.string(), display_name: z.string() }).optional(),
      language_info: z
        .looseObject({
          name: z.string(),
          file_extension: z.string().optional(),
          mimetype: z.string().optional(),
          pygments_lexer: z.string().optional(),
        })
        .optional(),
      title: z.string().optional(),
    }),
    cells: z.array(cell),
  })
  .refine(({ cells }) => new Set(cells.map(({ id }) => id)).size === cells.length, 'two cells have one id');
