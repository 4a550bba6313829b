/** The output of the cell that joined a room: what the instructor says appears there while the notebook is open. */

import { setTimeout as sleep } from 'node:timers/promises';
import { inNotebook, liveOutput } from '../../notebook/display.ts';
import type { MimeBundle } from '../../plots/chart.ts';
import { escapeMarkup } from '../../plots/text.ts';
import { type RoomMessage, roomMessage } from '../protocol.ts';
import { followEvents } from './event-stream.ts';
import { currentRoom, type Membership } from './membership.ts';
import { waiting } from './outbox.ts';
import { sendSoon } from './reporter.ts';

const MOST_SHOWN = 8;
const LONGEST_PAUSE = 30_000;
const HEADINGS: Readonly<Record<RoomMessage['kind'], string>> = {
  announcement: 'Announcement',
  hint: 'Hint',
  spotlight: 'A solution to look at',
  chapter: 'Chapter',
};

let following: AbortController | undefined;

/** Shows the board and follows the room in the background. One board at a time: a new one ends the one before. */
export async function showBoard(room: Membership): Promise<void> {
  following?.abort();
  const output = liveOutput();
  const messages: RoomMessage[] = [];
  let connected = false;
  const draw = async (): Promise<void> =>
    output.update(boardOf(room, messages, connected, await waiting(room)));
  if (!inNotebook()) {
    output.finish(boardOf(room, messages, true, 0));
    return;
  }
  following = new AbortController();
  // Awaited: what is shown once a cell has ended belongs to the next one.
  await draw();
  void follow(room, following.signal, {
    onMessage: (message) => {
      if (messages.some(({ id }) => id === message.id)) return;
      messages.unshift(message);
      messages.splice(MOST_SHOWN);
      void draw();
    },
    onConnection: (state) => {
      if (connected === state) return;
      connected = state;
      void draw();
    },
  });
}

interface Listener {
  onMessage(message: RoomMessage): void;
  onConnection(connected: boolean): void;
}

async function follow(room: Membership, signal: AbortSignal, listener: Listener): Promise<void> {
  let pause = 1_000;
  let last = 0;
  while (!signal.aborted && currentRoom()?.token === room.token) {
    try {
      await followEvents(
        `${room.server}/api/learner/stream?since=${last}`,
        { authorization: `Bearer ${room.token}` },
        ({ data }) => {
          const message = roomMessage.safeParse(JSON.parse(data));
          if (!message.success) return;
          last = Math.max(last, message.data.id);
          listener.onMessage(message.data);
        },
        () => {
          pause = 1_000;
          listener.onConnection(true);
          sendSoon();
        },
        signal,
      );
    } catch (error) {
      const status: unknown = error instanceof Error ? Reflect.get(error, 'status') : undefined;
      // The room is gone, or this learner in it.
      if (status === 401 || status === 404) return listener.onConnection(false);
    }
    if (signal.aborted) return;
    listener.onConnection(false);
    // All labs of a room lose the server at once: they do not come back at once.
    await sleep(pause * (0.5 + Math.random()), undefined, { ref: false });
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** The board as text and as HTML. */
export function boardOf(
  { room, learner }: Membership,
  messages: readonly RoomMessage[],
  connected: boolean,
  unsent: number,
): MimeBundle {
  const state = connected ? 'connected' : 'not connected; what you do is kept and sent later';
  const queue = unsent === 0 ? '' : `, ${unsent} check${unsent === 1 ? '' : 's'} to be sent`;
  const told = room.asksForCode
    ? 'It is told which exercises you check, whether they pass, the diagnosis, and your code of the exercise: this room asks for it.'
    : 'It is told which exercises you check, whether they pass, and the diagnosis; never your code.';
  const lines = messages.map((message) => ({ heading: headingOf(message), text: message.text }));
  const html = [
    `<div style="border-left:4px solid #0072b2;padding:.4em .9em">`,
    `<p><strong>${escapeMarkup(room.title)}</strong> · ${escapeMarkup(learner.name)} · <em>${state}${queue}</em></p>`,
    `<p>${told}</p>`,
    ...lines.map(
      ({ heading, text }) =>
        `<p><strong>${escapeMarkup(heading)}</strong></p><pre style="white-space:pre-wrap;margin:0 0 .6em">${escapeMarkup(text)}</pre>`,
    ),
    '</div>',
  ];
  const plain = [
    `${room.title} · ${learner.name} · ${state}${queue}`,
    told,
    ...lines.map(({ heading, text }) => `${heading}: ${text}`),
  ];
  return { 'text/html': html.join(''), 'text/plain': plain.join('\n') };
}

function headingOf({ kind, exercise }: RoomMessage): string {
  return exercise === undefined ? HEADINGS[kind] : `${HEADINGS[kind]} · ${exercise}`;
}
