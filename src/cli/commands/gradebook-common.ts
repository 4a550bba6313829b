/** What all commands of the gradebook share: their options, and the store and room that they work on. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../../errors.ts';
import { roomOf } from '../../workshop/gradebook/arguments.ts';
import { openStore, type Store } from '../../workshop/store/open.ts';
import type { Room } from '../../workshop/store/rooms.ts';

export interface Common {
  folder: string;
  room?: string;
  by: string;
}

/** A command of `parent` with the options that all have. `example` is what follows `npx lab gradebook`. */
export function subcommand(parent: Command, name: string, description: string, example: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--folder <folder>', 'the folder of the workshop', 'lab-workshop')
    .option('--room <code>', 'the code of the room; not needed if there is only one')
    .option('--by <name>', 'who does it, for the audit log', userInfo().username)
    .addHelpText('after', `\nExample:\n  npx lab gradebook ${example}`);
}

/** Opens the store of the options for some work. `fresh`: a folder that is not there is made. @throws InputError if there is no workshop */
export async function withStore<T>(
  { folder }: Common,
  work: (store: Store) => Promise<T>,
  fresh = false,
): Promise<T> {
  const url = process.env.DATABASE_URL;
  if (url === undefined && !fresh && !existsSync(folder)) {
    throw new InputError(`${folder}: there is no workshop; give its --folder, or set DATABASE_URL`);
  }
  const store = await openStore(url === undefined ? { folder: resolve(folder) } : { url });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export const withRoom = <T>(options: Common, work: (store: Store, room: Room) => Promise<T>): Promise<T> =>
  withStore(options, async (store) => work(store, await roomOf(store, options.room)));
