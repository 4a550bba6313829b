/** One room in memory, while somebody looks at it or works in it: what changes is told to all who look, a few times a second. */

import type { LearnerRow, LiveEvent, RoomMessage, RoomView } from '../protocol.ts';
import { latestByRoom, latestOfLearner } from '../store/checks.ts';
import { groupsOf } from '../store/groups.ts';
import { type Learner, learnersOf } from '../store/learners.ts';
import type { Store } from '../store/open.ts';
import { assignmentsOf, findRoom, messagesSince } from '../store/rooms.ts';
import type { ChapterEntry } from './course-catalogue.ts';
import { type Channel, Channels } from './event-channel.ts';
import { assignmentView, cellView, messageView } from './views.ts';

/** Changes are gathered so long before they are told: a dashboard needs no more than six pictures a second. */
const GATHER = 150;
/** Dashboards of one instructor in one room, and notebooks of one learner. */
const MOST_DASHBOARDS = 8;
const MOST_NOTEBOOKS = 6;
/** Messages that a dashboard shows. */
const MESSAGES_SHOWN = 50;

export interface LiveSettings {
  readonly store: Store;
  readonly catalogue: readonly ChapterEntry[];
  /** Where learners reach the server. */
  readonly address: string;
  readonly log: (error: unknown) => void;
}

export class LiveRoom {
  readonly id: number;
  readonly #settings: LiveSettings;
  readonly #dashboards = new Channels<number>(MOST_DASHBOARDS);
  readonly #notebooks = new Channels<number>(MOST_NOTEBOOKS);
  readonly #watching = new Set<Channel>();
  readonly #changed = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #groupNames: ReadonlyMap<number, string> = new Map();

  constructor(id: number, settings: LiveSettings) {
    this.id = id;
    this.#settings = settings;
  }

  /** A dashboard: the whole room now, then what changes. */
  async addDashboard(instructor: number, channel: Channel): Promise<void> {
    this.#dashboards.add(instructor, channel);
    // In this order: what changes while the room is read is told after it.
    this.#watching.add(channel);
    channel.send({ type: 'room', room: await this.view() } satisfies LiveEvent);
  }

  removeDashboard(instructor: number, channel: Channel): void {
    this.#watching.delete(channel);
    this.#dashboards.delete(instructor, channel);
  }

  addNotebook(learner: number, channel: Channel): void {
    const before = this.#notebooks.has(learner);
    this.#notebooks.add(learner, channel);
    if (!before) this.changed(learner);
  }

  removeNotebook(learner: number, channel: Channel): void {
    this.#notebooks.delete(learner, channel);
    if (!this.#notebooks.has(learner)) this.changed(learner);
  }

  /** A learner joined, came, went or checked something. */
  changed(learner: number): void {
    this.#changed.add(learner);
    this.#timer ??= setTimeout(() => void this.#tellChanges(), GATHER);
  }

  /** The room itself changed: everybody who looks gets it anew. */
  async roomChanged(): Promise<void> {
    if (this.#watching.size === 0) return;
    this.#tell({ type: 'room', room: await this.view() });
  }

  /** Tells dashboards, and the notebooks of the room or of one learner. */
  say(message: RoomMessage, learner?: number): void {
    this.#tell({ type: 'message', message });
    for (const notebook of learner === undefined ? this.#notebooks.all() : this.#notebooks.of(learner)) {
      notebook.send(message, message.id);
    }
  }

  /** Puts a learner out. */
  dismiss(learner: number): void {
    this.#notebooks.close(learner);
  }

  /** Ends the dashboards of somebody who may not look any more. */
  dismissInstructor(instructor: number): void {
    this.#dashboards.close(instructor);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#dashboards.close();
    this.#notebooks.close();
  }

  async view(): Promise<RoomView> {
    const { store, catalogue, address } = this.#settings;
    const [room, assignments, learners, progress, messages] = await Promise.all([
      findRoom(store, this.id),
      assignmentsOf(store, this.id),
      learnersOf(store, this.id),
      latestByRoom(store, this.id),
      messagesSince(store, this.id),
    ]);
    const groups = await this.#groups(learners);
    if (room === undefined) throw new Error(`room ${this.id} is gone`);
    const cells = Map.groupBy(progress, ({ learnerId }) => learnerId);
    return {
      id: room.id,
      title: room.title,
      code: room.code,
      address,
      expiresAt: room.expiresAt?.toISOString() ?? null,
      closed: room.closedAt !== null,
      asksForCode: room.asksForCode,
      assignments: assignments.map((one) => assignmentView(one, catalogue)),
      rows: learners.map((learner) =>
        this.#row(learner, groups, (cells.get(learner.id) ?? []).map(cellView)),
      ),
      messages: messages.slice(-MESSAGES_SHOWN).reverse().map(messageView),
    };
  }

  /** Names of groups by number; read again only when somebody is in one that is not known, as the server has much else to do. */
  async #groups(people: readonly Learner[]): Promise<ReadonlyMap<number, string>> {
    if (people.some(({ groupId }) => groupId !== null && !this.#groupNames.has(groupId))) {
      const groups = await groupsOf(this.#settings.store, this.id);
      this.#groupNames = new Map(groups.map(({ id, name }) => [id, name]));
    }
    return this.#groupNames;
  }

  #row(learner: Learner, groups: ReadonlyMap<number, string>, cells: LearnerRow['cells']): LearnerRow {
    const { id, displayName, pseudonym, joinedAt, groupId } = learner;
    return {
      id,
      name: displayName,
      pseudonym,
      group: groupId === null ? null : (groups.get(groupId) ?? null),
      joinedAt: joinedAt?.toISOString() ?? null,
      online: this.#notebooks.has(id),
      cells,
    };
  }

  async #tellChanges(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    try {
      if (this.#watching.size > 0) this.#tell({ type: 'rows', rows: await this.#rowsOf(changed) });
    } catch (error) {
      // The database is away: told again with the next change.
      for (const learner of changed) this.#changed.add(learner);
      this.#settings.log(error);
    } finally {
      this.#timer = undefined;
      if (this.#changed.size > 0) this.#timer = setTimeout(() => void this.#tellChanges(), GATHER);
    }
  }

  async #rowsOf(ids: readonly number[]): Promise<LearnerRow[]> {
    const { store } = this.#settings;
    const wanted = new Set(ids);
    const learners = (await learnersOf(store, this.id)).filter(({ id }) => wanted.has(id));
    const groups = await this.#groups(learners);
    return Promise.all(
      learners.map(async (learner) =>
        this.#row(learner, groups, (await latestOfLearner(store, learner.id)).map(cellView)),
      ),
    );
  }

  #tell(event: LiveEvent): void {
    for (const channel of this.#watching) channel.send(event);
  }
}

/** The rooms that are in memory. */
export class LiveRooms {
  readonly #rooms = new Map<number, LiveRoom>();
  readonly #settings: LiveSettings;

  constructor(settings: LiveSettings) {
    this.#settings = settings;
  }

  of(id: number): LiveRoom {
    let room = this.#rooms.get(id);
    if (room === undefined) {
      room = new LiveRoom(id, this.#settings);
      this.#rooms.set(id, room);
    }
    return room;
  }

  dismissInstructor(instructor: number): void {
    for (const room of this.#rooms.values()) room.dismissInstructor(instructor);
  }

  close(): void {
    for (const room of this.#rooms.values()) room.close();
  }
}
