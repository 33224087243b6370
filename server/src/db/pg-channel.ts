// A channel between the nodes of one database: LISTEN and NOTIFY on a connection of its own, which is reopened after
// a loss. Notifications sent meanwhile are lost: the user of the channel must be able to do without them, and is
// notified of every (re)opening to catch up.

import { isUnavailable } from './database.ts';
import { PgConnection } from './pg-connection.ts';

export interface ChannelEvents {
  readonly notified: (payload: string) => void;
  /** The channel is open, perhaps again: earlier notifications may have been missed. */
  readonly opened: () => void;
  readonly log: (message: string, error: unknown) => void;
}

export interface NodeChannel {
  /**
   * Sends these payloads to all nodes, including this one, in one transaction; they are silently lost while the
   * channel is closed.
   */
  notify(payloads: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

const kFirstPauseMs = 100;
const kLongestPauseMs = 5_000;

export class PgChannel implements NodeChannel {
  readonly #url: string;
  readonly #name: string;
  readonly #events: ChannelEvents;
  #connection: PgConnection | null = null;
  #pauseMs = kFirstPauseMs;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  #refused = false;

  /** `name` is a plain SQL identifier. */
  constructor(url: string, name: string, events: ChannelEvents) {
    this.#url = url;
    this.#name = name;
    this.#events = events;
    void this.#open();
  }

  async notify(payloads: readonly string[]): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    try {
      await connection.query(
        `select pg_notify('${this.#name}', k.payload)::text as sent
           from json_array_elements_text($1::text::json) as k(payload)`,
        [JSON.stringify(payloads)],
      );
    } catch (error) {
      if (!isUnavailable(error)) this.#events.log('A notification could not be sent.', error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    const connection = this.#connection;
    this.#connection = null;
    await connection?.close();
  }

  async #open(): Promise<void> {
    try {
      const connection = await PgConnection.open(this.#url, {
        notified: (channel, payload) => {
          if (channel === this.#name) this.#events.notified(payload);
        },
        lost: () => this.#lost(),
      });
      await connection.simple(`listen ${this.#name}`).catch((error: unknown) => {
        connection.discard();
        throw error;
      });
      if (this.#closed) {
        await connection.close();
        return;
      }
      this.#connection = connection;
      this.#pauseMs = kFirstPauseMs;
      this.#events.opened();
    } catch (error) {
      if (!isUnavailable(error) && !this.#refused) {
        // Logged once: an engine without LISTEN will not gain it.
        this.#refused = true;
        this.#events.log('The database does not support LISTEN: heads are polled instead.', error);
      }
      this.#again();
    }
  }

  #lost(): void {
    if (this.#connection === null) return; // It was never open: #open tries again.
    this.#connection = null;
    this.#again();
  }

  #again(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#open(), this.#pauseMs);
    this.#pauseMs = Math.min(kLongestPauseMs, this.#pauseMs * 2);
  }
}
