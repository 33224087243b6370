/**
 * A window's channel. While its page is frozen it is closed: messages would pile up, and an engine that keeps the page for
 * its user to go back to (bfcache) drops it at the first one that arrives (Chromium 156). What was missed is read from
 * storage when the page comes back.
 */
import type { ChannelMessage } from '../core/messages.ts';
import type { Channel, ChannelHost } from '../host/channel.ts';

export class WindowChannel implements Channel {
  readonly #open: (among?: string) => Channel;
  readonly #isLocal: boolean;
  #onMessage!: (message: unknown) => void;
  #all: Channel | null = null;
  #windows: Channel | null = null;

  /** `isLocal`: without a remote. */
  constructor(channels: ChannelHost, database: string, isLocal: boolean) {
    this.#open = (among = '') =>
      channels.open(database + among, (message) => this.#onMessage(message));
    this.#isLocal = isLocal;
  }

  /** Opens it. */
  connect(onMessage: (message: unknown) => void): void {
    this.#onMessage = onMessage;
    this.resume();
  }

  /**
   * A message that is posted while it is suspended is dropped. A record of a database without a remote concerns windows only:
   * each write would wake every window's worker, for a quarter of its time (Chromium, two cores).
   */
  post(message: ChannelMessage): void {
    const isLocal = 'record' in message && message.record.kind === 'local';
    (isLocal ? this.#windows : this.#all)?.post(message);
  }

  suspend(): void {
    this.#all?.close();
    this.#windows?.close();
    this.#all = this.#windows = null;
  }

  resume(): void {
    this.#all ??= this.#open();
    if (this.#isLocal) this.#windows ??= this.#open('/windows');
  }

  close(): void {
    this.suspend();
  }
}
