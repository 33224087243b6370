// Cancels the statements of callers that have disconnected, on a connection of its own, because those of the pool may
// all be busy with such statements. The connection is opened at the first use, and again after a loss.

import { isUnavailable } from './database.ts';
import { type Patience, PgConnection } from './pg-connection.ts';

export class PgCanceller {
  readonly #url: string;
  readonly #patience: Patience;
  #connection: Promise<PgConnection> | null = null;
  #closed = false;

  constructor(url: string, patience: Patience) {
    this.#url = url;
    this.#patience = patience;
  }

  /**
   * Resolves when PostgreSQL has been asked to cancel, or cannot be asked: then the statement's own time limit ends
   * it.
   */
  async cancel(pid: string): Promise<void> {
    if (this.#closed) return;
    try {
      const connection = await this.#open();
      await connection.query('select pg_cancel_backend($1::text::integer)::text as asked', [pid]);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connection = await this.#connection?.catch(() => null);
    await connection?.close();
  }

  #open(): Promise<PgConnection> {
    const forget = () => {
      this.#connection = null;
    };
    this.#connection ??= PgConnection.open(this.#url, { lost: forget }, this.#patience);
    this.#connection.catch(forget);
    return this.#connection;
  }
}
