/**
 * A window's channel. While its page stands still it is closed: messages would pile up, and an engine that keeps the page for
 * its user to go back to (bfcache) drops it at the first one that arrives (Chromium 156). What was missed is read from
 * storage when the page comes back.
 */
import type { Channel } from '../host/channel.ts';

export class WindowChannel implements Channel {
  readonly #open: () => Channel;
  #channel: Channel | null;

  constructor(open: () => Channel) {
    this.#open = open;
    this.#channel = open();
  }

  /** What is posted while it is suspended reaches nobody. */
  post(message: unknown): void {
    this.#channel?.post(message);
  }

  suspend(): void {
    this.#channel?.close();
    this.#channel = null;
  }

  resume(): void {
    this.#channel ??= this.#open();
  }

  close(): void {
    this.suspend();
  }
}
