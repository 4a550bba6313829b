/** Reads server-sent events (HTML Living Standard, section 9.2) with `fetch`: Node has no EventSource switched on. */

export interface ServerEvent {
  readonly id?: string;
  readonly data: string;
}

/** The events of a text as it comes in, cut anywhere. */
export function eventParser(onEvent: (event: ServerEvent) => void): (text: string) => void {
  let rest = '';
  let data: string[] = [];
  let id: string | undefined;
  const line = (text: string): void => {
    if (text === '') {
      if (data.length > 0) onEvent({ data: data.join('\n'), ...(id === undefined ? {} : { id }) });
      data = [];
      return;
    }
    const colon = text.indexOf(':');
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'id') id = value;
  };
  return (text) => {
    rest += text;
    // A carriage return at the very end may be half of a line end: it waits for what follows.
    for (let end = /\r\n|\n|\r(?!$)/.exec(rest); end !== null; end = /\r\n|\n|\r(?!$)/.exec(rest)) {
      line(rest.slice(0, end.index));
      rest = rest.slice(end.index + end[0].length);
    }
  };
}

/** Follows a stream until it ends. @throws if it cannot be opened or breaks. */
export async function followEvents(
  url: string,
  headers: Readonly<Record<string, string>>,
  onEvent: (event: ServerEvent) => void,
  onOpen: () => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, {
    headers: { ...headers, accept: 'text/event-stream' },
    signal,
    redirect: 'error',
  });
  if (!response.ok || response.body === null) {
    throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
  }
  onOpen();
  const parse = eventParser(onEvent);
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) parse(text);
}
