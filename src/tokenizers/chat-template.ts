/** Chat templates: the Jinja programs that turn a conversation into the text a model was trained on. */

import { Template } from '@huggingface/jinja';
import { InputError, messageOf } from '../errors.ts';

/** One turn. Templates may look at more than role and content, such as `tool_calls`. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [field: string]: unknown;
}

export interface ChatTemplateOptions {
  /** End with the words that begin an answer. Default false. */
  addGenerationPrompt?: boolean;
  /** End within the last message, for the model to go on from there. Default false. */
  continueFinalMessage?: boolean;
  /** Functions the model may call, as JSON schemas. */
  tools?: readonly Record<string, unknown>[];
  /** Documents for the model to answer from. */
  documents?: readonly Record<string, unknown>[];
  /** Which template, where the tokenizer has several. Default `default`, or `tool_use` when there are tools. */
  name?: string;
  /** Anything else the template asks for. */
  variables?: Record<string, unknown>;
}

/** The templates of a tokenizer by name; a tokenizer with one calls it `default`. */
export type ChatTemplates = Readonly<Record<string, string>>;

/**
 * Renders a conversation, as `apply_chat_template(..., tokenize=False)` of transformers does. The template sees
 * `messages`, `tools`, `documents`, `add_generation_prompt` and the special tokens (`bos_token`, …). Throws an
 * InputError if the template is broken or refuses the conversation.
 */
export function renderChat(
  templates: ChatTemplates,
  messages: readonly ChatMessage[],
  specialTokens: Readonly<Record<string, string>>,
  options: ChatTemplateOptions = {},
): string {
  const {
    addGenerationPrompt = false,
    continueFinalMessage = false,
    tools,
    documents,
    variables = {},
  } = options;
  if (addGenerationPrompt && continueFinalMessage) {
    throw new InputError('a chat cannot both continue its final message and begin a new one');
  }
  const name =
    options.name ?? (tools !== undefined && templates.tool_use !== undefined ? 'tool_use' : 'default');
  const source = templates[name];
  if (source === undefined) {
    const names = Object.keys(templates);
    throw new InputError(
      names.length === 0
        ? 'this tokenizer has no chat template'
        : `this tokenizer has no chat template named "${name}": it has ${names.join(', ')}`,
    );
  }
  let text: string;
  try {
    text = new Template(source).render({
      messages: [...messages],
      tools: tools ?? null,
      documents: documents ?? null,
      add_generation_prompt: addGenerationPrompt,
      ...specialTokens,
      ...variables,
    });
  } catch (error) {
    throw new InputError(`the chat template cannot render these messages: ${messageOf(error)}`);
  }
  return continueFinalMessage ? cutAfter(text, messages.at(-1)) : text;
}

/** The text up to the end of the final message, without what the template sets after it. */
function cutAfter(text: string, message: ChatMessage | undefined): string {
  const content = message?.content;
  if (typeof content !== 'string' || content.trim() === '') {
    throw new InputError('a chat that continues its final message needs text in it');
  }
  const at = text.lastIndexOf(content.trim());
  if (at === -1)
    throw new InputError('the chat template changes the final message, so that it cannot be continued');
  const end = at + content.trim().length;
  // Where the template kept the space that ends the message, the continuation comes after it.
  return text.slice(0, text.startsWith(content.trimStart(), at) ? at + content.trimStart().length : end);
}
