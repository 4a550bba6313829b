/** Passwords: made at random, kept as slow hashes, compared in constant time. */

import { createHash, randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';

/** About 50 ms and 32 MiB a try (OWASP, "Password storage": scrypt with N = 2¹⁵, r = 8, p = 3 or more). */
const COST = { N: 2 ** 15, r: 8, p: 3 };
const KEY_LENGTH = 32;
const MEMORY = 256 * COST.N * COST.r;

/** A slow salted hash of a password. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(secret, salt);
  return ['scrypt', salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Whether a password is that of the hash. A hash that is damaged fits nothing. */
export async function fitsSecret(secret: string, hash: string): Promise<boolean> {
  const [kind, salt = '', key = ''] = hash.split('$');
  const expected = Buffer.from(key, 'base64url');
  const got = await derive(secret, Buffer.from(salt, 'base64url'));
  return kind === 'scrypt' && expected.length === got.length && timingSafeEqual(expected, got);
}

/** A hash that nothing fits: who tries a name that does not exist waits as long as who tries one that does. */
export const UNKNOWN_HASH = `scrypt$${Buffer.alloc(16).toString('base64url')}$${Buffer.alloc(KEY_LENGTH).toString('base64url')}`;

function derive(secret: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { ...COST, maxmem: MEMORY };
    scrypt(secret.normalize('NFKC'), salt, KEY_LENGTH, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** Whether two texts are the same, without telling by the time taken where they differ. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

/** Without those that are taken for others when they are read off a screen. */
const LETTERS = '23456789abcdefghjkmnpqrstwxyz';

/** A password of 97 random bits, to be read off a terminal once. */
export function newPassword(): string {
  const group = () => Array.from({ length: 5 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}
