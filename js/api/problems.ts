/** `db.problems`: what the application's own rules find wrong with the data. */
import { Subscribers } from './subscribers.ts';
import type { Live } from './types.ts';

export interface Problem {
  /** The table, or `stream:` and the name of a stream. */
  readonly table: string;
  /** The id of the object, or of the action. */
  readonly id: string;
  readonly message: string;
  /** This user's pending mutations that have to do with it. */
  readonly mutations: readonly string[];
}

export class Problems implements Live<readonly Problem[]> {
  readonly #bySource = new Map<object, readonly Problem[]>();
  readonly #subscribers = new Subscribers<readonly Problem[]>(() => this.value);
  value: readonly Problem[] = Object.freeze([]);

  of(source: object): readonly Problem[] {
    return this.#bySource.get(source) ?? [];
  }

  /** The problems of one source are these now. Returns the calls that are due. */
  replace(source: object, problems: readonly Problem[]): (() => void)[] {
    if (problems.length === 0 && !this.#bySource.has(source)) return [];
    if (problems.length === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, problems);
    this.value = Object.freeze([...this.#bySource.values()].flat());
    return this.#subscribers.calls(this.value);
  }

  subscribe(fn: (problems: readonly Problem[]) => void) {
    return this.#subscribers.add(fn);
  }
}
