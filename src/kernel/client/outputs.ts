import type { CellMessage } from './kernel-client.ts';

/** An output of a cell, as a notebook file holds it. */
export type Output = Record<string, unknown> & { output_type: string };

/** Collects the outputs of the cells of one notebook from a kernel's messages, as a front end does. */
export class OutputCollector {
  /** the outputs that a display id stands for, in whichever cells they are */
  readonly #displays = new Map<string, Output[]>();
  #outputs: Output[] = [];
  #clearsOnNext = false;

  /** Outputs from now on are those of the next cell; they are in the returned list as they come. */
  begin(): Output[] {
    this.#outputs = [];
    this.#clearsOnNext = false;
    return this.#outputs;
  }

  add({ header, content, metadata: _ }: CellMessage): void {
    switch (header.msg_type) {
      case 'stream':
        this.#addStream(String(content.name), String(content.text));
        break;
      case 'display_data':
        this.#addDisplay({ output_type: 'display_data', ...dataOf(content) }, content);
        break;
      case 'execute_result': {
        const count = content.execution_count;
        this.#addDisplay(
          {
            output_type: 'execute_result',
            execution_count: typeof count === 'number' ? count : null,
            ...dataOf(content),
          },
          content,
        );
        break;
      }
      case 'update_display_data':
        for (const output of this.#displays.get(displayId(content)) ?? [])
          Object.assign(output, dataOf(content));
        break;
      case 'error': {
        const traceback = Array.isArray(content.traceback) ? content.traceback.map(String) : [];
        this.#push({
          output_type: 'error',
          ename: String(content.ename),
          evalue: String(content.evalue),
          traceback,
        });
        break;
      }
      case 'clear_output':
        if (content.wait === true) this.#clearsOnNext = true;
        else this.#outputs.length = 0;
    }
  }

  #push(output: Output): void {
    if (this.#clearsOnNext) this.#outputs.length = 0;
    this.#clearsOnNext = false;
    this.#outputs.push(output);
  }

  #addStream(name: string, text: string): void {
    const last = this.#outputs.at(-1);
    if (!this.#clearsOnNext && last?.output_type === 'stream' && last.name === name) {
      last.text = `${String(last.text)}${text}`;
    } else this.#push({ output_type: 'stream', name, text });
  }

  #addDisplay(output: Output, content: Record<string, unknown>): void {
    this.#push(output);
    const id = displayId(content);
    if (id === '') return;
    const known = this.#displays.get(id) ?? [];
    for (const one of known) Object.assign(one, dataOf(content));
    this.#displays.set(id, [...known, output]);
  }
}

function displayId(content: Record<string, unknown>): string {
  const { transient } = content;
  if (typeof transient !== 'object' || transient === null || !('display_id' in transient)) return '';
  return typeof transient.display_id === 'string' ? transient.display_id : '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Data and metadata of a message, with text where the notebook format wants text. */
function dataOf(content: Record<string, unknown>): {
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
} {
  const data: Record<string, unknown> = {};
  for (const [type, value] of Object.entries(isObject(content.data) ? content.data : {})) {
    const isJson = type === 'application/json' || type.endsWith('+json');
    data[type] = isJson || typeof value === 'string' ? value : JSON.stringify(value);
  }
  return { data, metadata: isObject(content.metadata) ? content.metadata : {} };
}
