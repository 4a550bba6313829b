/** The audit log: who did what, in the same transaction as the deed. */
import { desc } from 'drizzle-orm';
import type { Database } from './open.ts';
import { audit } from './schema.ts';

export type AuditEntry = typeof audit.$inferSelect;

/** Adds an entry. Secrets and learners' code have no place in `subject`. */
export async function record(
  db: Database,
  actor: string,
  action: string,
  subject: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db.insert(audit).values({ actor, action, subject });
}

/** The latest entries, newest first. */
export async function auditLog(db: Database, limit = 1000): Promise<AuditEntry[]> {
  return db.select().from(audit).orderBy(desc(audit.id)).limit(limit);
}
