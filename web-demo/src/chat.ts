// The chat of a shared list: a stream in its realm. It is there offline, too, and older messages come page by page.
import type { DataStream, Entry } from 'skerry';
import { type Demo, user } from './database.js';
import { formatTime, make } from './dom.js';

/** Whoever may write the realm may append anything, also a release of this page that is not known here. */
function textOf(item: unknown): string {
  const text = typeof item === 'object' && item !== null && 'text' in item ? item.text : null;
  return typeof text === 'string' ? text : '(something that cannot be shown here)';
}

/** So many are shown, and kept on the device. */
const KEPT = 50;
const PAGE = 20;

export class Chat {
  readonly element: HTMLElement;
  readonly #stream: DataStream<unknown>;
  readonly #messages = make('ol', { class: 'messages' });
  readonly #earlier = make('button', { type: 'button', class: 'quiet', hidden: true }, 'Earlier');
  readonly #saying = make('form');
  readonly #stop: () => void;
  /** Before those that are shown live: what was asked for, and from then on what is no longer shown live. */
  #past: readonly Entry<unknown>[] = [];
  #live: readonly Entry<unknown>[] = [];

  constructor(demo: Demo, realm: string, run: (run: () => void) => void) {
    this.#stream = demo.stream<unknown>('chat', { realm, keep: KEPT });
    const label = 'Say something';
    const input = make('input', { placeholder: label, 'aria-label': label, autocomplete: 'off' });
    this.#saying.append(input, make('button', { type: 'submit' }, 'Send'));
    this.#saying.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (!text) return;
      run(() => this.#stream.append({ type: 'said', text }));
      input.value = '';
    });
    this.#earlier.addEventListener('click', () => void this.#showEarlier());
    this.element = make(
      'section',
      { class: 'chat', 'aria-label': 'Chat' },
      this.#earlier,
      make('div', { class: 'scrolled' }, this.#messages),
      this.#saying,
    );
    this.#stop = this.#stream.subscribe(() => this.#render());
  }

  set readOnly(reads: boolean) {
    this.#saying.hidden = reads;
  }

  close(): void {
    this.#stop();
  }

  async #showEarlier(): Promise<void> {
    const first = this.#past[0] ?? this.#stream.entries[0];
    if (!first) return;
    try {
      const page = await this.#stream.history({ before: first, limit: PAGE });
      this.#past = [...page, ...this.#past];
      this.#render();
      this.#earlier.hidden = page.length < PAGE;
    } catch {
      this.#earlier.textContent = 'Earlier ones are not on this device: try again online';
    }
  }

  #render(): void {
    const before = this.#live;
    this.#live = this.#stream.entries;
    if (this.#past.length > 0) {
      const shown = new Set(this.#live.map(({ id }) => id));
      const gone = before.filter(({ id, pending }) => !pending && !shown.has(id));
      this.#past = [...this.#past, ...gone];
    } else {
      this.#earlier.hidden = this.#live.length < KEPT;
    }
    const entries = [...this.#past, ...this.#live];
    this.#messages.replaceChildren(...entries.map((entry) => this.#message(entry)));
  }

  #message({ id, value, author, at, madeAt, pending }: Entry<unknown>): HTMLElement {
    const own = author === null || author === user;
    const when = formatTime(at ?? madeAt);
    return make(
      'li',
      { 'data-message': id, class: pending ? 'pending' : own ? 'own' : '' },
      make('span', { class: 'muted' }, `${own ? 'you' : author} · ${when}`),
      make('span', {}, textOf(value)),
    );
  }
}
