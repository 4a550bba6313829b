import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InputError } from '../../src/errors.ts';
import { loadTokenizer } from '../../src/tokenizers/index.ts';

const Message = z.looseObject({ role: z.string() });
const Fixture = z.object({
  templates: z.record(z.string(), z.string()),
  chats: z.record(z.string(), z.array(Message)),
  tools: z.array(z.record(z.string(), z.unknown())),
  cases: z.array(
    z.object({
      template: z.string(),
      chat: z.string(),
      prompt: z.boolean(),
      tools: z.boolean(),
      variables: z.record(z.string(), z.unknown()),
      text: z.string().nullable(),
    }),
  ),
  continued: z.array(z.object({ template: z.string(), messages: z.array(Message), text: z.string() })),
});
const fixtureFile = new URL('./fixtures/chat.json', import.meta.url);
const fixture = Fixture.parse(JSON.parse(await readFile(fixtureFile, 'utf8')));

const tokenizer = { model: { type: 'BPE', vocab: { '<s>': 0, '</s>': 1 }, merges: [] }, added_tokens: [] };
const withTemplate = (chat_template: unknown) =>
  loadTokenizer({
    tokenizer,
    config: { bos_token: '<s>', eos_token: { content: '</s>', lstrip: false }, chat_template },
  });

describe('chat templates', () => {
  it.each(Object.keys(fixture.templates))('%s renders as in transformers', async (name) => {
    const loaded = await withTemplate(fixture.templates[name]);
    const cases = fixture.cases.filter(({ template }) => template === name);
    expect(cases.length).toBeGreaterThan(4);
    for (const { chat, prompt, tools, variables, text } of cases) {
      const render = () =>
        loaded.applyChatTemplate(fixture.chats[chat] ?? [], {
          addGenerationPrompt: prompt,
          variables,
          ...(tools ? { tools: fixture.tools } : {}),
        });
      if (text === null) expect(render).toThrow(InputError);
      else expect(render(), `${chat} ${prompt} ${tools}`).toBe(text);
    }
  });

  it('leaves the last message open when it is to be continued', async () => {
    for (const { template, messages, text } of fixture.continued) {
      const loaded = await withTemplate(fixture.templates[template]);
      expect(
        loaded.applyChatTemplate(messages, { continueFinalMessage: true }),
        JSON.stringify(messages),
      ).toBe(text);
    }
  });

  it('chooses among several by name, and the one for tools when there are tools', async () => {
    const loaded = await withTemplate([
      { name: 'default', template: 'plain' },
      { name: 'tool_use', template: 'tools' },
    ]);
    expect(loaded.applyChatTemplate([])).toBe('plain');
    expect(loaded.applyChatTemplate([], { tools: [] })).toBe('tools');
    expect(loaded.applyChatTemplate([], { name: 'tool_use' })).toBe('tools');
    expect(() => loaded.applyChatTemplate([], { name: 'rag' })).toThrow('it has default, tool_use');
  });

  it('says what is wrong with a template, and when there is none', async () => {
    await expect(withTemplate(7)).rejects.toThrow('chat_template');
    const broken = await withTemplate('{% for x in %}');
    expect(() => broken.applyChatTemplate([])).toThrow(InputError);
    const refusing = await withTemplate("{{ raise_exception('no system messages') }}");
    expect(() => refusing.applyChatTemplate([])).toThrow('no system messages');
    const none = await withTemplate(null);
    expect(() => none.applyChatTemplate([])).toThrow('no chat template');
  });
});
