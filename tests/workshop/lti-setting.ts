/** A platform, the server as `lab workshop` runs it, a room with two chapters, and people: what tests of LTI begin with. */
import { ownKeySet } from '../../src/workshop/lti/keys.ts';
import { connectLink } from '../../src/workshop/lti/links.ts';
import { tieInstructor } from '../../src/workshop/lti/people.ts';
import { registerPlatform } from '../../src/workshop/lti/platforms.ts';
import type { ProgressView } from '../../src/workshop/protocol.ts';
import { addInstructor } from '../../src/workshop/server/accounts.ts';
import { createApp } from '../../src/workshop/server/app.ts';
import type { Store } from '../../src/workshop/store/open.ts';
import { createRoom, type Room, setAssignment } from '../../src/workshop/store/rooms.ts';
import { freePort } from '../free-port.ts';
import { INSTRUCTOR, SimulatedPlatform } from './lti-platform.ts';
import { jsonOf, Visitor } from './lti-visitor.ts';
import { anyStore } from './store-engines.ts';

export const CLAIM = 'https://purl.imsglobal.org/spec/lti/claim/';
/** When both chapters are due; each day that has begun costs half. */
export const DUE = new Date('2026-02-01T12:00:00Z');
const CHAPTERS = ['03-bert', '04-roberta'] as const;
const CATALOGUE = CHAPTERS.map((chapter) => ({
  chapter,
  title: chapter.toUpperCase(),
  exercises: [{ id: `${chapter.slice(3)}/one`, title: 'One', minutes: 5 }],
}));

/** The address behind the button of a page in a frame, or that of a redirect. */
export async function wayOn(reply: Response): Promise<string> {
  if (reply.status === 303) return reply.headers.get('location') ?? '';
  return /<a href="([^"]*)"/.exec(await reply.text())?.[1]?.replaceAll('&#38;', '&') ?? '';
}

export const keyIn = (href: string): string => /[#&](?:key|claim)=([\w-]+)/.exec(href)?.[1] ?? '';

export class LtiSetting {
  readonly store: Store;
  readonly platform: SimulatedPlatform;
  /** The tool as browsers reach it: another site than the platform's. */
  readonly tool: string;
  readonly room: Room;
  /** Of Grace, instructor here. */
  readonly password: string;
  readonly #close: () => Promise<void>;
  #grace: ReturnType<LtiSetting['graceThere']> | undefined;

  private constructor(
    given: Pick<LtiSetting, 'store' | 'platform' | 'tool' | 'room' | 'password'>,
    close: () => Promise<void>,
  ) {
    this.store = given.store;
    this.platform = given.platform;
    this.tool = given.tool;
    this.room = given.room;
    this.password = given.password;
    this.#close = close;
  }

  /** @param connected whether Grace has logged in from the platform before, and the first link leads to `03-bert` */
  static async open(connected: boolean): Promise<LtiSetting> {
    const opened = await anyStore();
    const { store } = opened;
    const platform = await SimulatedPlatform.start(() => ownKeySet(store));
    const { id: platformId } = await registerPlatform(store, platform.registration, 'test');
    const port = await freePort();
    const tool = `http://localhost:${port}`;
    const { app } = await createApp({ store, catalogue: CATALOGUE, address: tool });
    await app.listen({ host: 'localhost', port });
    const { instructor, password } = await addInstructor(store, {
      name: 'Grace',
      role: 'instructor',
      by: 'test',
    });
    const room = await createRoom(store, { title: 'Monday', by: 'test' });
    for (const chapter of CHAPTERS) {
      await setAssignment(store, {
        roomId: room.id,
        chapter,
        title: chapter.toUpperCase(),
        open: true,
        dueAt: DUE,
        policy: { penaltyPerDay: 0.5 },
        by: 'test',
      });
    }
    platform.people.set('ada', {});
    platform.people.set('bob', { sub: 'student-2', name: 'Bob', email: 'bob@example.org' });
    platform.people.set('grace', {
      sub: 'teacher-1',
      name: 'Grace Hopper',
      email: 'grace@example.org',
      [`${CLAIM}roles`]: [INSTRUCTOR],
    });
    const setting = new LtiSetting({ store, platform, tool, room, password }, async () => {
      await app.close();
      await platform.stop();
      await opened.close();
    });
    if (connected) {
      await tieInstructor(store, { platformId, sub: 'teacher-1' }, instructor);
      await new Visitor().launch(setting.at('grace'));
      await connectLink(store, { linkId: 1, roomId: room.id, chapter: '03-bert', by: 'test' });
    }
    return setting;
  }

  close(): Promise<void> {
    return this.#close();
  }

  at(hint: string, resource?: string): string {
    return this.platform.course(this.tool, hint, resource);
  }

  /** Grace in a browser, logged in by a launch. */
  async graceThere(resource?: string) {
    const { tool } = this;
    const visitor = new Visitor();
    const href = await wayOn(await visitor.launch(this.at('grace', resource)));
    await visitor.post(`${tool}/api/login`, { key: keyIn(href) });
    const { csrf } = await jsonOf(visitor.ask(`${tool}/api/me`));
    const ask = async (method: string, path: string, body?: unknown) =>
      visitor.ask(`${tool}${path}`, {
        method,
        headers: {
          'x-csrf-token': csrf,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    return { href, ask };
  }

  /** One login for many requests: logins are limited. */
  grace(): ReturnType<LtiSetting['graceThere']> {
    this.#grace ??= this.graceThere();
    return this.#grace;
  }

  /** A learner in a window of their own. */
  async learnerPage(hint: string, resource?: string) {
    const { tool } = this;
    const visitor = new Visitor();
    const href = await wayOn(await visitor.launch(this.at(hint, resource), 'document'));
    await visitor.post(`${tool}/api/my/session`, { key: keyIn(href) });
    const progress = async (): Promise<ProgressView> => jsonOf(visitor.ask(`${tool}/api/my/progress`));
    return { visitor, href, progress };
  }
}
