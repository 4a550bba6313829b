/** Where others on the network reach this machine. */

import { networkInterfaces } from 'node:os';

/** Addresses of this machine in its networks, IPv4 first; virtual bridges of containers last. */
export function networkAddresses(): string[] {
  const found = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
    (all ?? [])
      .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
      .map(({ address, family }) => ({
        address,
        rank: (family === 'IPv4' ? 0 : 1) + (/^(docker|br-|veth|virbr)/.test(name) ? 2 : 0),
      })),
  );
  return found
    .sort((a, b) => a.rank - b.rank)
    .map(({ address }) => (address.includes(':') ? `[${address}]` : address));
}

/** The address to show learners: what was given, else that of this machine in its network, else this machine alone. */
export function shownAddress(host: string, port: number, given?: string): string {
  if (given !== undefined) return given.replace(/\/+$/, '');
  const everywhere = host === '0.0.0.0' || host === '::';
  const name = everywhere ? (networkAddresses()[0] ?? '127.0.0.1') : host;
  return `http://${name}:${port}`;
}
