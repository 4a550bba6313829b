/** How a cell hands over a variable: a getter and, where it can be assigned, a setter. */
export type Binding = readonly [get: () => unknown, set?: (value: unknown) => void];

/**
 * The variables of all cells, by name. A property of `scope` is the variable itself, seen through the getter
 * and setter that its cell handed over, so what one cell assigns every other cell sees.
 */
export class Session {
  readonly scope: Record<string, unknown> = Object.create(null);
  readonly #names = new Set<string>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  names(): string[] {
    return [...this.#names];
  }

  /** Defines names, over older ones of the same name; returns how to bring the older ones back. */
  define(bindings: Readonly<Record<string, Binding>>): Map<string, PropertyDescriptor | undefined> {
    const before = new Map<string, PropertyDescriptor | undefined>();
    for (const [name, [get, set]] of Object.entries(bindings)) {
      before.set(name, Object.getOwnPropertyDescriptor(this.scope, name));
      Object.defineProperty(this.scope, name, {
        get,
        set: set ?? refuseAssignment,
        configurable: true,
        enumerable: true,
      });
      this.#names.add(name);
    }
    return before;
  }

  /**
   * After a cell that failed: names whose declaration was never reached go back to what they were.
   *
   * @returns the names that did get a value
   */
  restoreUnreached(before: ReadonlyMap<string, PropertyDescriptor | undefined>): string[] {
    const reached: string[] = [];
    for (const [name, descriptor] of before) {
      if (this.isReached(name)) {
        reached.push(name);
        continue;
      }
      delete this.scope[name];
      this.#names.delete(name);
      if (descriptor) {
        Object.defineProperty(this.scope, name, descriptor);
        if (descriptor.get?.name !== 'unknownName') this.#names.add(name);
      }
    }
    return reached;
  }

  /** Names that no cell defines yet: reading one fails as it would anywhere, until a later cell defines it. */
  expect(names: readonly string[]): void {
    for (const name of names) {
      if (Object.hasOwn(this.scope, name)) continue;
      const unknownName = () => {
        if (name in globalThis) return Reflect.get(globalThis, name);
        throw new ReferenceError(`${name} is not defined`);
      };
      const set = () => {
        throw new ReferenceError(`${name} is not defined`);
      };
      Object.defineProperty(this.scope, name, { get: unknownName, set, configurable: true });
    }
  }

  clear(): void {
    for (const name of Object.keys(this.scope)) delete this.scope[name];
    this.#names.clear();
  }

  /** Whether the variable's declaration has been executed. */
  isReached(name: string): boolean {
    try {
      void this.scope[name];
      return true;
    } catch {
      return false;
    }
  }
}

function refuseAssignment(): never {
  throw new TypeError('Assignment to constant variable.');
}
