/** A page that a test controls. */
import type { PageEvent, PageHost } from '../page.ts';

export class MemoryPage implements PageHost {
  visible = true;
  online = true;
  readonly #listeners = new Set<(event: PageEvent) => void>();

  on(fn: (event: PageEvent) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** `meanwhile`: what the application does in the handlers of the event, before `still`. */
  send(event: PageEvent, meanwhile?: () => void): void {
    this.#notify(event);
    meanwhile?.();
    if (event.type === 'freeze' || event.type === 'pagehide') this.#notify({ type: 'still' });
  }

  #notify(event: PageEvent): void {
    if (event.type === 'visibility') this.visible = event.visible;
    if (event.type === 'online') this.online = event.online;
    for (const fn of [...this.#listeners]) fn(event);
  }
}
