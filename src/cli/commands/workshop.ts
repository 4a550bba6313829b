/** `lab workshop`: one server for one room or many. */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { InputError, messageOf } from '../../errors.ts';
import { onStopSignal } from '../jupyter/signals.ts';

interface Options {
  host: string;
  port: number;
  folder: string;
  address?: string;
  trustProxy?: boolean;
  resetPassword?: string;
}

export function workshopCommand(): Command {
  return new Command('workshop')
    .summary('open a workshop: rooms, live progress, a gradebook')
    .description(
      'Starts the server of a workshop on this machine and prints the link that logs you in. Learners join a room with its ' +
        'code; every check in their notebooks shows at once. All is kept in --folder, or in the PostgreSQL server of ' +
        'DATABASE_URL. Ctrl-C ends it; nothing is lost.',
    )
    .option('--port <number>', 'port to listen on', portNumber, 7788)
    .option('--host <address>', 'address to listen on; 127.0.0.1 for this machine alone', '0.0.0.0')
    .option('--folder <folder>', 'where everything is kept', 'lab-workshop')
    .option('--address <url>', 'the address that learners are shown, behind a proxy for example')
    .option('--trust-proxy', 'a proxy in front says who asks (X-Forwarded-For, X-Forwarded-Proto)')
    .option('--reset-password <name>', 'give an instructor a new password, and end')
    .addHelpText(
      'after',
      '\nExample:\n  npx lab workshop\n  npx lab workshop --host 127.0.0.1 --address https://lab.example.org --trust-proxy',
    )
    .action(workshop);
}

async function workshop(options: Options): Promise<void> {
  const { host, port, address } = options;
  if (address !== undefined && !/^https?:\/\/[^/]+/.test(address)) {
    throw new InputError(`--address must be like https://lab.example.org, got '${address}'`);
  }
  const [{ openStore }, accounts, { createApp }, { loadCatalogue }, { shownAddress }] = await Promise.all([
    import('../../workshop/store/open.ts'),
    import('../../workshop/server/accounts.ts'),
    import('../../workshop/server/app.ts'),
    import('../../workshop/server/course-catalogue.ts'),
    import('../../workshop/server/addresses.ts'),
  ]);
  const url = process.env.DATABASE_URL;
  const store = await openStore(url === undefined ? { folder: resolve(options.folder) } : { url });
  try {
    if (options.resetPassword !== undefined) {
      const password = await accounts.resetPassword(store, options.resetPassword, 'lab workshop');
      console.log(`The new password of ${options.resetPassword}: ${password}`);
      return;
    }
    const { owner, password } = await accounts.ensureOwner(store);
    const shown = shownAddress(host, port, address);
    const { app, workshop: running } = await createApp({
      store,
      catalogue: await loadCatalogue(),
      address: shown,
      trustProxy: options.trustProxy ?? false,
      log: (message) => console.error(`lab: ${message}`),
    });
    await listen(app, host, port);
    const here = `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
    const link = (): string => `${here}/login#key=${running.logins.give(owner)}`;
    console.log(
      `\nThe workshop is open. You, on this machine, log in with this link (once, within ten minutes):\n\n    ${link()}\n`,
    );
    if (password !== undefined) {
      console.log(`From elsewhere: ${shown}/login, name ${owner.name}, password ${password}`);
      console.log(
        'Write the password down: it is kept nowhere. A new one: npx lab workshop --reset-password instructor\n',
      );
    }
    console.log(
      `Learners reach it at ${shown}. Kept in ${url === undefined ? resolve(options.folder) : 'the database of DATABASE_URL'}. Ctrl-C ends it; Enter makes a new link.`,
    );
    const newLink = (): void => console.log(`    ${link()}`);
    if (process.stdin.isTTY) process.stdin.on('data', newLink);
    await new Promise<void>((stopped) => onStopSignal(() => stopped()));
    process.stdin.off('data', newLink).pause();
    console.error('\nClosing the workshop ...');
    await app.close();
  } finally {
    await store.close();
  }
}

async function listen(
  app: { listen(options: { host: string; port: number }): Promise<unknown> },
  host: string,
  port: number,
): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (code === 'EADDRINUSE')
      throw new InputError(
        `port ${port} is in use; is a workshop open already? Another port: --port ${port + 1}`,
      );
    if (code === 'EADDRNOTAVAIL')
      throw new InputError(
        `this machine has no address ${host}; the default, 0.0.0.0, listens on all it has`,
      );
    throw new InputError(`the server cannot listen on ${host}:${port}: ${messageOf(error)}`);
  }
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('Ports are 1 to 65535.');
  return port;
}
