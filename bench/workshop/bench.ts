/**
 * `npm run bench:workshop`: how soon a check is on the instructor's page when a full room works. One process is the server on an
 * embedded database in a folder, as `lab workshop` starts it; this one is 300 learners and a dashboard.
 */

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { followEvents } from '../../src/workshop/client/event-stream.ts';
import type { LiveEvent } from '../../src/workshop/protocol.ts';

const { values } = parseArgs({
  options: {
    learners: { type: 'string', default: '300' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    port: { type: 'string', default: '7797' },
  },
});
const learners = Number(values.learners);
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const server = `http://127.0.0.1:${values.port}`;
const folder = mkdtempSync(join(tmpdir(), 'lab-bench-workshop-'));

const command = [
  'src/cli/main.ts',
  'workshop',
  '--folder',
  folder,
  '--host',
  '127.0.0.1',
  '--port',
  values.port,
];
const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const key = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const found = /login#key=([\w-]+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  await measure(key);
} finally {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

async function measure(key: string): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const login = await fetch(`${server}/api/login`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ key }),
  });
  const cookie = (login.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  const { csrf } = await (await fetch(`${server}/api/me`, { headers: { cookie } })).json();
  const headers = { ...json, cookie, 'x-csrf-token': csrf };
  const made = await fetch(`${server}/api/rooms`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ title: 'Bench' }),
  });
  const { id, code } = await made.json();

  // The limit of joins a minute is there for guessers: 300 learners behind one address wait for it.
  const tokens: string[] = [];
  for (let i = 0; i < learners; i++) {
    const reply = await fetch(`${server}/api/join`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ code, name: `learner ${i}` }),
    });
    if (reply.status === 429) {
      await sleep(5_000);
      i--;
      continue;
    }
    tokens.push((await reply.json()).token);
  }

  /** When each learner's n-th check was sent. */
  const sent = new Map<string, number>();
  const delays: number[] = [];
  const seen = new Map<string, number>();
  const stop = new AbortController();
  const opened = Promise.withResolvers<void>();
  const following = followEvents(
    `${server}/api/rooms/${id}/live`,
    { cookie },
    ({ data }) => {
      const now = performance.now();
      const event: LiveEvent = JSON.parse(data);
      if (event.type === 'room') opened.resolve();
      if (event.type !== 'rows') return;
      for (const { name, cells } of event.rows) {
        const attempts = cells.reduce((sum, cell) => sum + cell.attempts, 0);
        for (let n = (seen.get(name) ?? 0) + 1; n <= attempts; n++) {
          const at = sent.get(`${name} ${n}`);
          if (at !== undefined) delays.push(now - at);
        }
        seen.set(name, attempts);
      }
    },
    () => undefined,
    stop.signal,
  ).catch(() => undefined);
  await opened.promise;

  const counts = new Map<number, number>();
  const pending: Promise<void>[] = [];
  let refused = 0;
  const began = performance.now();
  for (let n = 0; n < rate * seconds; n++) {
    const due = began + (1000 * n) / rate;
    if (due > performance.now()) await sleep(due - performance.now());
    const who = n % learners;
    const count = (counts.get(who) ?? 0) + 1;
    counts.set(who, count);
    sent.set(`learner ${who} ${count}`, performance.now());
    pending.push(
      send(tokens[who] ?? '', n).then((ok) => {
        if (!ok) refused++;
      }),
    );
  }
  const took = (performance.now() - began) / 1000;
  await Promise.all(pending);
  await sleep(2_000);
  stop.abort();
  await following;

  delays.sort((a, b) => a - b);
  const at = (share: number) =>
    `${Math.round(delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? Number.NaN)} ms`;
  console.log(
    `${learners} learners, ${rate * seconds} checks in ${took.toFixed(1)} s (${((rate * seconds) / took).toFixed(0)} a second), ${cpus().length} cores`,
  );
  console.log(`on the dashboard: ${delays.length}, refused: ${refused}`);
  console.log(`sent until visible: median ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, longest ${at(1)}`);
}

async function send(token: string, n: number): Promise<boolean> {
  const at = new Date().toISOString();
  const check = {
    id: randomUUID(),
    exercise: n % 3 === 0 ? 'start/standardize' : 'start/distances',
    verdict: n % 4 === 0 ? 'pass' : 'fail',
    mistake: 'The mean runs over the wrong axis.',
    checkedAt: at,
  };
  const reply = await fetch(`${server}/api/learner/checks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ sentAt: at, checks: [check] }),
  });
  await reply.text();
  return reply.ok;
}
