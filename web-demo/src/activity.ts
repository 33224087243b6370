// The log of a shared list: who did what, and when. It is a stream beside the rows, so it tells the same order to everybody.
import type { DataStream, Entry } from 'skerry';
import { type Demo, user } from './database.js';
import { formatTime, make } from './dom.js';
import { app } from './schema.js';

/** What was done, with whatever belongs to it: texts, numbers, and the types of the schema. */
export interface Action {
  readonly type: string;
  readonly [what: string]: unknown;
}

const KEPT = 100;

/** `checked: Rope, true` */
function describe({ type, ...what }: Action): string {
  const info = app.toInfo(what) as Record<string, unknown>;
  return `${type}: ${Object.values(info).map(String).join(', ')}`;
}

export class Activity {
  readonly element = make('details', { class: 'activity' });
  readonly #stream: DataStream<Action>;
  readonly #list = make('ol');
  readonly #stop: () => void;

  constructor(demo: Demo, realm: string) {
    this.#stream = demo.stream<Action>('activity', { realm, keep: KEPT });
    this.element.append(make('summary', {}, 'Log'), this.#list);
    this.#stop = this.#stream.subscribe(() => this.#render());
  }

  add(action: Action): void {
    this.#stream.append(action);
  }

  close(): void {
    this.#stop();
  }

  /** The newest first. */
  #render(): void {
    this.#list.replaceChildren(...this.#stream.entries.toReversed().map((one) => this.#line(one)));
  }

  #line({ id, value, author, at, madeAt, pending }: Entry<Action>): HTMLElement {
    return make(
      'li',
      { 'data-action': id, class: pending ? 'pending' : '' },
      make('span', { class: 'muted' }, `${formatTime(at ?? madeAt)} ${author ?? user}`),
      make('span', {}, describe(value)),
    );
  }
}
