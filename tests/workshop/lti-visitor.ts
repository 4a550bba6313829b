/** A browser as far as a launch needs one: it follows redirects and forms over HTTP, and keeps cookies for each host and path. */

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** As it was set. */
  readonly text: string;
}

/** What a reply says. */
export async function jsonOf(reply: Response | Promise<Response>) {
  return JSON.parse(await (await reply).text());
}

export class Visitor {
  readonly cookies: (Cookie & { readonly origin: string })[] = [];

  async ask(url: string, init: RequestInit = {}): Promise<Response> {
    const { origin, pathname } = new URL(url);
    const sent = this.cookies
      .filter((one) => one.origin === origin && pathname.startsWith(one.path))
      .map(({ name, value }) => `${name}=${value}`);
    const headers = new Headers(init.headers);
    if (sent.length > 0) headers.set('cookie', sent.join('; '));
    const reply = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const text of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? [];
      const path = /;\s*path=([^;]+)/i.exec(text)?.[1] ?? '/';
      const others = this.cookies.filter((one) => one.name !== name || one.origin !== origin);
      this.cookies.splice(0, this.cookies.length, ...others, { name, value, path, text, origin });
    }
    return reply;
  }

  post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.ask(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  /** From the tool's login to the form that the platform would have the browser send. */
  async begin(loginUrl: string): Promise<{ action: string; idToken: string; state: string; nonce: string }> {
    const login = await this.ask(loginUrl);
    const auth = login.headers.get('location') ?? '';
    if (login.status !== 302) throw new Error(`the login was refused: ${await login.text()}`);
    const form = await (await this.ask(auth)).text();
    const field = (name: string): string =>
      new RegExp(`name="${name}" value="([^"]*)"`).exec(form)?.[1] ?? '';
    return {
      action: /action="([^"]*)"/.exec(form)?.[1] ?? '',
      idToken: field('id_token'),
      state: field('state'),
      nonce: new URL(auth).searchParams.get('nonce') ?? '',
    };
  }

  /** Sends the form. @param dest what the browser says the answer is for: a window or a frame */
  submit(action: string, idToken: string, state: string, dest = 'iframe'): Promise<Response> {
    return this.ask(action, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-dest': dest },
      body: new URLSearchParams({ id_token: idToken, state }).toString(),
    });
  }

  async launch(loginUrl: string, dest?: string): Promise<Response> {
    const { action, idToken, state } = await this.begin(loginUrl);
    return this.submit(action, idToken, state, dest);
  }
}
