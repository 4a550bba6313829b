/** Putting a roster into a room. */
import { eq } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import type { RosterEntry } from '../gradebook/roster.ts';
import { record } from './audit.ts';
import { ensureGroup } from './groups.ts';
import { nameKey } from './names.ts';
import type { Database, Store } from './open.ts';
import { learners } from './schema.ts';

export interface Imported {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

type Row = typeof learners.$inferSelect;

/**
 * Adds everybody on a roster to a room, or changes who is there: found by id, else by e-mail, else by name. Nobody is removed. Either
 * all of the roster is taken or, when anything is refused, none. @throws InputError with the line in the file
 */
export async function importRoster(
  { db }: Store,
  roomId: number,
  entries: readonly RosterEntry[],
  by: string,
): Promise<Imported> {
  return db.transaction(async (tx) => {
    const present = await tx.select().from(learners).where(eq(learners.roomId, roomId)).for('update');
    const groupIds = new Map<string, number>();
    const counts = { added: 0, changed: 0, unchanged: 0 };
    const met = new Map<number, RosterEntry>();
    for (const entry of entries) {
      const values = {
        displayName: entry.displayName,
        nameKey: nameKey(entry.displayName),
        // What the roster does not say stays.
        ...(entry.email === undefined ? {} : { email: entry.email }),
        ...(entry.externalId === undefined ? {} : { externalId: entry.externalId }),
        ...(entry.group === undefined ? {} : { groupId: await groupId(tx, roomId, entry.group, groupIds) }),
      };
      const found = match(present, entry);
      refuseConflict(present, found, entry, met);
      if (found === undefined) {
        const [added] = await tx
          .insert(learners)
          .values({ roomId, ...values })
          .returning();
        if (added === undefined) throw new Error('a learner was not kept');
        present.push(added);
        met.set(added.id, entry);
        counts.added++;
        continue;
      }
      met.set(found.id, entry);
      if (Object.entries(values).every(([key, value]) => Reflect.get(found, key) === value)) {
        counts.unchanged++;
        continue;
      }
      await tx.update(learners).set(values).where(eq(learners.id, found.id));
      Object.assign(found, values);
      counts.changed++;
    }
    await record(tx, by, 'roster.import', { room: roomId, ...counts });
    return counts;
  });
}

function match(present: readonly Row[], { externalId, email, displayName }: RosterEntry): Row | undefined {
  const byId = externalId === undefined ? undefined : present.find((one) => one.externalId === externalId);
  const mail = email?.toLowerCase();
  const byMail = mail === undefined ? undefined : present.find((one) => one.email?.toLowerCase() === mail);
  return byId ?? byMail ?? present.find((one) => one.nameKey === nameKey(displayName));
}

function refuseConflict(
  present: readonly Row[],
  found: Row | undefined,
  entry: RosterEntry,
  met: ReadonlyMap<number, RosterEntry>,
): void {
  const { line, displayName, externalId } = entry;
  const earlier = found === undefined ? undefined : met.get(found.id);
  if (earlier !== undefined) {
    throw new InputError(
      `line ${line}: ${displayName} is the same learner of the room as line ${earlier.line}`,
    );
  }
  const namesake = present.find((one) => one !== found && one.nameKey === nameKey(displayName));
  if (namesake !== undefined) {
    throw new InputError(`line ${line}: somebody else in the room is called “${displayName}” already`);
  }
  if (found?.externalId != null && externalId !== undefined && found.externalId !== externalId) {
    throw new InputError(
      `line ${line}: ${displayName} has the id ${externalId} here and ${found.externalId} in the room; is it somebody else?`,
    );
  }
}

async function groupId(
  db: Database,
  roomId: number,
  name: string,
  known: Map<string, number>,
): Promise<number> {
  const key = nameKey(name);
  const id = known.get(key) ?? (await ensureGroup(db, roomId, name));
  known.set(key, id);
  return id;
}
