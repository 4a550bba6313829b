import { randomUUID } from 'node:crypto';
import type { WorkerRequest } from '../protocol/channel.ts';
import { writeFrame } from '../protocol/channel.ts';

/** One end of a comm: a channel between code of the kernel and code of the front end. */
export interface Comm {
  readonly id: string;
  readonly target: string;
  send(data: unknown, buffers?: Uint8Array[]): void;
  close(data?: unknown): void;
  onMessage?: (data: unknown, buffers: Uint8Array[]) => void | Promise<void>;
  onClose?: (data: unknown) => void | Promise<void>;
}

/** What is called when the front end opens a comm. */
export type CommTarget = (comm: Comm, data: unknown) => void | Promise<void>;

/** What the kernel offers to code in cells, as `globalThis[Symbol.for('llm-lab.comms')]`. */
export interface CommManager {
  registerTarget(name: string, target: CommTarget): void;
  open(target: string, data?: unknown): Comm;
}

/** Where code in cells finds the comms. */
export const COMMS = Symbol.for('llm-lab.comms');

type CommRequest = Extract<WorkerRequest, { op: 'comm' }>;

/** The comms of one kernel. */
export class Comms implements CommManager {
  readonly #open = new Map<string, Comm>();
  readonly #targets = new Map<string, CommTarget>();

  constructor() {
    Reflect.set(globalThis, COMMS, this);
  }

  registerTarget(name: string, target: CommTarget): void {
    this.#targets.set(name, target);
  }

  open(target: string, data: unknown = {}): Comm {
    const comm = this.#create(randomUUID(), target);
    this.#send('comm_open', { comm_id: comm.id, target_name: target, data });
    return comm;
  }

  /** The open comms, of one target or of all. */
  list(target?: string): Record<string, { target_name: string }> {
    const open = [...this.#open.values()].filter((comm) => target === undefined || comm.target === target);
    return Object.fromEntries(open.map((comm) => [comm.id, { target_name: comm.target }]));
  }

  /** Handles a comm message of the front end. */
  async receive(request: CommRequest): Promise<void> {
    const { comm_id: id, target_name: targetName, data = {} } = request.content;
    if (typeof id !== 'string') return;
    const buffers = request.buffers.map((one) => Buffer.from(one, 'base64'));
    const comm = this.#open.get(id);
    if (request.type === 'comm_open') {
      const target = this.#targets.get(String(targetName));
      if (!target) {
        // the protocol: a target nobody knows is answered by closing
        this.#send('comm_close', { comm_id: id, data: {} });
        return;
      }
      await target(this.#create(id, String(targetName)), data);
    } else if (request.type === 'comm_msg') await comm?.onMessage?.(data, buffers);
    else if (request.type === 'comm_close') {
      this.#open.delete(id);
      await comm?.onClose?.(data);
    }
  }

  #create(id: string, target: string): Comm {
    const comm: Comm = {
      id,
      target,
      send: (data, buffers = []) => this.#send('comm_msg', { comm_id: id, data }, buffers),
      close: (data = {}) => {
        this.#open.delete(id);
        this.#send('comm_close', { comm_id: id, data });
      },
    };
    this.#open.set(id, comm);
    return comm;
  }

  #send(message: string, content: Record<string, unknown>, buffers: Uint8Array[] = []): void {
    const encoded = buffers.map((one) => Buffer.from(one).toString('base64'));
    writeFrame({ event: { type: 'comm', message, content, buffers: encoded } });
  }
}
