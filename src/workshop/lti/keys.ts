/** Our signing keys: platforms know us by them. */
import { randomUUID } from 'node:crypto';
import { desc } from 'drizzle-orm';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type { Store } from '../store/open.ts';
import { ltiKeys } from '../store/schema.ts';

/** The only algorithm that LTI 1.3 asks of everybody (1EdTech Security Framework 1.1, section 5.4). */
export const ALGORITHM = 'RS256';
/** Older keys than these are no longer shown. */
const SHOWN_KEYS = 3;

export interface SigningKey {
  readonly kid: string;
  readonly key: CryptoKey | Uint8Array;
}

/** The newest key; made at the first call. */
export async function signingKey(store: Store): Promise<SigningKey> {
  const [newest] = await store.db.select().from(ltiKeys).orderBy(desc(ltiKeys.createdAt)).limit(1);
  if (newest !== undefined) return { kid: newest.kid, key: await importJWK(newest.privateJwk, ALGORITHM) };
  await rotateKey(store);
  return signingKey(store);
}

/** Makes a new key, which signs from now on; platforms still find the earlier ones. */
export async function rotateKey({ db }: Store): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const kid = randomUUID();
  const common = { kid, alg: ALGORITHM, use: 'sig' };
  await db.insert(ltiKeys).values({
    kid,
    publicJwk: { ...(await exportJWK(publicKey)), ...common },
    privateJwk: { ...(await exportJWK(privateKey)), ...common },
  });
}

/** Our public keys, for platforms. */
export async function ownKeySet(store: Store): Promise<{ keys: JWK[] }> {
  await signingKey(store);
  const rows = await store.db
    .select({ key: ltiKeys.publicJwk })
    .from(ltiKeys)
    .orderBy(desc(ltiKeys.createdAt))
    .limit(SHOWN_KEYS);
  return { keys: rows.map(({ key }) => key) };
}
