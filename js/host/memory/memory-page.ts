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

  /** `meanwhile`: what the application does, when it is told, before its page stands still. */
  send(event: PageEvent, meanwhile?: () => void): void {
    this.#tell(event);
    meanwhile?.();
    if (event.type === 'freeze' || event.type === 'pagehide') this.#tell({ type: 'still' });
  }

  #tell(event: PageEvent): void {
    if (event.type === 'visibility') this.visible = event.visible;
    if (event.type === 'online') this.online = event.online;
    for (const fn of [...this.#listeners]) fn(event);
  }
}
