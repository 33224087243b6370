/** A page whose life a test directs. */
import type { Page, PageEvent } from '../page.ts';

export class MemoryPage implements Page {
  visible = true;
  online = true;
  readonly #listeners = new Set<(event: PageEvent) => void>();

  on(fn: (event: PageEvent) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  send(event: PageEvent): void {
    if (event.type === 'visibility') this.visible = event.visible;
    if (event.type === 'online') this.online = event.online;
    for (const fn of [...this.#listeners]) fn(event);
  }
}
