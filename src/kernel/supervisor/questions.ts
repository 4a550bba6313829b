import { z } from 'zod';
import { fromCodePoints, toCodePoints } from '../protocol/text.ts';
import type { Cells } from './cells.ts';
import { type History, historyRequestSchema } from './history.ts';

type Content = Record<string, unknown>;

const cursorSchema = z.looseObject({ code: z.string(), cursor_pos: z.number().int().optional() });
const codeSchema = z.looseObject({ code: z.string() });
const commInfoSchema = z.looseObject({ target_name: z.string().optional() });

const completionSchema = z.object({
  start: z.number(),
  end: z.number(),
  matches: z.array(z.object({ text: z.string(), kind: z.string() })),
});
const inspectionSchema = z.object({ signature: z.string(), documentation: z.string() });

/** Questions about code and about the kernel's past, by the type of their request. */
export type Question = (content: Content, cells: Cells, history: History) => Content | Promise<Content>;

/** What answers a type of request; undefined for those that are no questions. */
export function questionOf(type: string): Question | undefined {
  return QUESTIONS.get(type);
}

const QUESTIONS: ReadonlyMap<string, Question> = new Map<string, Question>([
  ['complete_request', (content, cells) => complete(cursorSchema.parse(content), cells)],
  ['inspect_request', (content, cells) => inspect(cursorSchema.parse(content), cells)],
  [
    'is_complete_request',
    async (content, cells) => {
      const { code } = codeSchema.parse(content);
      const { answer } = await cells.request({ op: 'isComplete', code });
      return answer ?? { status: 'unknown' };
    },
  ],
  [
    'history_request',
    (content, _, history) => ({ status: 'ok', history: history.find(historyRequestSchema.parse(content)) }),
  ],
  [
    'comm_info_request',
    async (content, cells) => {
      const { target_name: target } = commInfoSchema.parse(content);
      const { answer } = await cells.request({
        op: 'commInfo',
        ...(target === undefined ? {} : { target }),
      });
      return { status: 'ok', comms: {}, ...answer };
    },
  ],
]);

/** The cursor as an offset in the code; without one, its end. */
function offsetOf({ code, cursor_pos }: z.infer<typeof cursorSchema>): number {
  return cursor_pos === undefined ? code.length : fromCodePoints(code, cursor_pos);
}

async function complete(request: z.infer<typeof cursorSchema>, cells: Cells): Promise<Content> {
  const { code } = request;
  const { answer, error } = await cells.request({ op: 'complete', code, offset: offsetOf(request) });
  if (!answer || error) return { status: 'error', ...error };
  const { start, end, matches } = completionSchema.parse(answer);
  const cursorStart = toCodePoints(code, start);
  const cursorEnd = toCodePoints(code, end);
  return {
    status: 'ok',
    matches: matches.map(({ text }) => text),
    cursor_start: cursorStart,
    cursor_end: cursorEnd,
    metadata: {
      _jupyter_types_experimental: matches.map(({ text, kind }) => ({
        text,
        type: kind,
        start: cursorStart,
        end: cursorEnd,
      })),
    },
  };
}

async function inspect(request: z.infer<typeof cursorSchema>, cells: Cells): Promise<Content> {
  const { code } = request;
  const { answer, error } = await cells.request({ op: 'inspect', code, offset: offsetOf(request) });
  if (error) return { status: 'error', ...error };
  const found = inspectionSchema.safeParse(answer);
  if (!found.success) return { status: 'ok', found: false, data: {}, metadata: {} };
  const { signature, documentation } = found.data;
  const data = {
    'text/plain': documentation === '' ? signature : `${signature}\n\n${documentation}`,
    'text/markdown': `\`\`\`typescript\n${signature}\n\`\`\`\n\n${documentation}`.trimEnd(),
  };
  return { status: 'ok', found: true, data, metadata: {} };
}
