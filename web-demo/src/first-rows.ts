// What stands in the place of the cities until the first of them are there: how far the first visit has come.
import type { Demo } from './database.js';
import { byId } from './dom.js';

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

/** What is waited for, by the phase of the status. */
const waits: Readonly<Record<string, string>> = {
  offline: 'The cities come once this browser is online.',
  paused: 'The cities come once “Offline” is switched off.',
  waiting: 'The server cannot be reached. It is tried again.',
  blocked: 'The server refuses this page.',
};

export class FirstRows {
  readonly #demo: Demo;
  readonly #place = byId('cities-first');
  readonly #text = byId('cities-first-text');
  readonly #bar = byId<HTMLProgressElement>('cities-first-bar');
  readonly #stops: (() => void)[] = [];

  constructor(demo: Demo) {
    this.#demo = demo;
    this.#stops.push(demo.sync.subscribe(() => this.#render()));
    this.#stops.push(
      demo.cities.liveCount().subscribe((count) => {
        // From the first row on the list shows how many there are.
        if (count > 0) this.#end();
      }),
    );
    this.#render();
  }

  #end(): void {
    this.#place.hidden = true;
    // Not from within the first call, when what stops it is not known yet.
    queueMicrotask(() => {
      for (const stop of this.#stops.splice(0)) stop();
    });
  }

  #render(): void {
    const { phase, progress, lastSyncedAt } = this.#demo.sync.status;
    // A server without cities.
    this.#place.hidden ||= lastSyncedAt !== null && phase === 'idle';
    this.#bar.hidden = phase in waits;
    if (progress && progress.done < progress.total) {
      this.#bar.max = progress.total;
      this.#bar.value = progress.done;
      const [done, total] = [megabytes(progress.done), megabytes(progress.total)];
      this.#text.textContent = `The first visit: ${done} of ${total} MB are here.`;
      return;
    }
    this.#bar.removeAttribute('value');
    this.#text.textContent =
      waits[phase] ??
      (progress ? 'Storing the cities in this browser …' : 'The first visit: asking the server …');
  }
}
