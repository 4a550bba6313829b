/** The platforms that this tool is registered with. */
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { record } from '../store/audit.ts';
import type { Store } from '../store/open.ts';
import { ltiDeployments, ltiPlatforms } from '../store/schema.ts';

export type Platform = typeof ltiPlatforms.$inferSelect;

/** Secrets travel over these addresses: in the clear only within one machine, as in tests. */
const address = z.url({ protocol: /^https?$/ }).refine((text) => {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || hostname === '127.0.0.1' || hostname === 'localhost';
}, 'must begin with https://');

export const registration = z.strictObject({
  name: z.string().min(1).max(100),
  issuer: z.string().min(1).max(500),
  clientId: z.string().min(1).max(500),
  /** The first; others can be added. */
  deploymentId: z.string().min(1).max(500),
  authUrl: address,
  tokenUrl: address,
  jwksUrl: address,
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
