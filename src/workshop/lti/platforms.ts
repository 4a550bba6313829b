/** The platforms that this tool is registered with. */
import { and, asc, eq } from 'drizzle-orm';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { record } from '../store/audit.ts';
import type { Store } from '../store/open.ts';
import { ltiDeployments, ltiPlatforms } from '../store/schema.ts';

export type Platform = typeof ltiPlatforms.$inferSelect;

/** Whether nobody on the way can listen: TLS, or an address within one machine, as in tests. */
export function isConfidential(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || hostname === '127.0.0.1' || hostname === 'localhost';
}

/** Secrets travel over these addresses. */
export const serviceAddress = z
  .url({ protocol: /^https?$/ })
  .refine((text) => isConfidential(text), 'must begin with https://');

export const registration = z.strictObject({
  name: z.string().min(1).max(100),
  issuer: z.string().min(1).max(500),
  clientId: z.string().min(1).max(500),
  /** The first; others can be added. */
  deploymentId: z.string().min(1).max(500),
  authUrl: serviceAddress,
  tokenUrl: serviceAddress,
  jwksUrl: serviceAddress,
  /** Who our access requests are for, where the platform wants another name than its token URL. */
  audience: z.string().exactOptional(),
});
export type Registration = z.infer<typeof registration>;

/** Registers a platform, or changes its addresses and adds the deployment. @throws InputError for what cannot be */
export async function registerPlatform({ db }: Store, given: Registration, by: string): Promise<Platform> {
  const parsed = registration.safeParse(given);
  if (!parsed.success)
    throw new InputError(`this platform cannot be registered: ${z.prettifyError(parsed.error)}`);
  const { deploymentId, ...values } = parsed.data;
  return db.transaction(async (tx) => {
    const [platform] = await tx
      .insert(ltiPlatforms)
      .values(values)
      .onConflictDoUpdate({ target: [ltiPlatforms.issuer, ltiPlatforms.clientId], set: values })
      .returning();
    if (platform === undefined) throw new Error('the platform was not kept');
    await tx.insert(ltiDeployments).values({ platformId: platform.id, deploymentId }).onConflictDoNothing();
    const { issuer, clientId } = platform;
    await record(tx, by, 'lti.register', { platform: platform.id, issuer, clientId, deploymentId });
    return platform;
  });
}

/** A platform by its issuer and, where it has several registrations, the client id. @throws InputError if there is none or it cannot be told */
export async function findPlatform(
  { db }: Store,
  issuer: string,
  clientId: string | undefined,
): Promise<Platform> {
  const found = await db
    .select()
    .from(ltiPlatforms)
    .where(
      and(
        eq(ltiPlatforms.issuer, issuer),
        clientId === undefined ? undefined : eq(ltiPlatforms.clientId, clientId),
      ),
    );
  const [only, ...others] = found;
  if (only === undefined) throw new InputError('this platform is not registered here');
  if (others.length > 0)
    throw new InputError('the platform did not say which of its registrations it means (client_id)');
  return only;
}

export interface RegisteredPlatform extends Platform {
  readonly deployments: readonly string[];
}

/** All platforms with their deployments, in the order in which they were registered. */
export async function allPlatforms({ db }: Store): Promise<RegisteredPlatform[]> {
  const rows = await db
    .select({ platform: ltiPlatforms, deployment: ltiDeployments.deploymentId })
    .from(ltiPlatforms)
    .leftJoin(ltiDeployments, eq(ltiDeployments.platformId, ltiPlatforms.id))
    .orderBy(asc(ltiPlatforms.id), asc(ltiDeployments.id));
  const byId = Map.groupBy(rows, ({ platform }) => platform.id);
  return [...byId.values()].flatMap((group) => {
    const [first] = group;
    const deployments = group.flatMap(({ deployment }) => deployment ?? []);
    return first === undefined ? [] : [{ ...first.platform, deployments }];
  });
}

/** Forgets a platform with its links and whom it knows; learners and their marks stay. @throws InputError if there is no such platform */
export async function removePlatform({ db }: Store, id: number, by: string): Promise<Platform> {
  return db.transaction(async (tx) => {
    const [gone] = await tx.delete(ltiPlatforms).where(eq(ltiPlatforms.id, id)).returning();
    if (gone === undefined)
      throw new InputError(`there is no platform ${id}; lab gradebook lti list shows them`);
    await record(tx, by, 'lti.remove', { platform: id, issuer: gone.issuer, clientId: gone.clientId });
    return gone;
  });
}
