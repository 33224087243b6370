// One connection to PostgreSQL: a `pg` client that pipelines. A client connects once and never again. If it reconnected,
// the second half of a transaction would be sent on the new connection and commit alone. The pool opens a new connection
// in place of a lost one.

import { Socket } from 'node:net';
import { Client, type QueryConfig } from 'pg';
import { limits } from '../base/limits.ts';
import { ConnectionError, DatabaseTimeout, type Param, sqlState } from './database.ts';
import type { Session } from './session.ts';

export interface ConnectionEvents {
  readonly notified?: (channel: string, payload: string) => void;
  readonly lost?: () => void;
  /** Asks the server to cancel what this connection of it runs. */
  readonly cancel?: (pid: string) => Promise<void>;
}

/** How long PostgreSQL may take for a statement, how long the answer is waited for, and how long plans are kept. */
export interface Patience {
  readonly statementMs: number;
  readonly answerWithinMs: number;
  readonly plansKeptMs?: number;
}

const kKeepAliveMs = 60_000;

/** After an error of these severities the session is gone, even if the socket has not closed yet. */
const kEnds = new Set<unknown>(['FATAL', 'PANIC']);

/** The address with libpq's meaning of `sslmode`: `require` encrypts, only `verify-…` checks the certificate. */
function asLibpq(url: string): string {
  const address = new URL(url);
  address.searchParams.set('uselibpqcompat', 'true');
  return address.href;
}

export class PgConnection implements Session {
  /** Passed to the client, so that it can be destroyed while statements are in progress. */
  readonly #socket = new Socket();
  readonly #client: Client;
  readonly #events: ConnectionEvents;
  readonly #patience: Required<Patience>;
  /** The names of the statements that the server keeps prepared. Filters make new texts without end. */
  readonly #prepared = new Map<string, string>();
  #plannedAt = performance.now();
  unlimited = false;
  #underWay = 0;
  /** Since when statements are in progress, and the total of the earlier times. */
  #workingSince: number | null = null;
  #worked = 0;
  /** Runs while the end of a cancelled statement is waited for. */
  #cancelled: NodeJS.Timeout | null = null;
  #pid = '';
  #lostBy: Error | null = null;

  private constructor(url: string, events: ConnectionEvents, patience: Patience) {
    this.#events = events;
    this.#patience = { plansKeptMs: limits.plansKeptMs, ...patience };
    this.#client = new Client({
      connectionString: asLibpq(url),
      stream: () => this.#socket,
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: kKeepAliveMs,
      fallback_application_name: 'skerry-server',
    });
    // Added before the client's own listener: the reason is known before the client rejects what is in progress.
    this.#socket.once('close', () => this.discard());
    this.#client.on('error', (cause) => this.discard(lostConnection(cause)));
    this.#client.on('notification', ({ channel, payload = '' }) =>
      events.notified?.(channel, payload),
    );
  }

  static async open(
    url: string,
    events: ConnectionEvents = {},
    patience: Patience = limits,
  ): Promise<PgConnection> {
    const connection = new PgConnection(url, events, patience);
    const limit = setTimeout(
      () => connection.discard(new ConnectionError('The database did not answer in time.')),
      limits.connectWithinMs,
    );
    try {
      await connection.#client.connect();
      await connection.#setUp();
    } catch (error) {
      const reason = connection.#lostBy;
      connection.discard();
      // Errors of the server and of the socket have a code; without one, the client may only have seen the socket close.
      throw reason !== null && (error as { code?: unknown }).code === undefined ? reason : error;
    } finally {
      clearTimeout(limit);
    }
    return connection;
  }

  async #setUp(): Promise<void> {
    const settings = {
      TimeZone: 'UTC',
      statement_timeout: this.#patience.statementMs,
      // A node that hangs must not hold its realms' locks for ever.
      idle_in_transaction_session_timeout: limits.idleTransactionMs,
      // The cost of an unavoidable scan would look worth compiling for, which takes longer than most pages.
      jit: 'off',
    };
    const [, rows] = await Promise.all([
      this.simple(
        Object.entries(settings)
          .map(([name, to]) => `set ${name} = '${to}'`)
          .join(';'),
      ),
      this.query('select pg_backend_pid()::text as pid', []),
    ]);
    for (const { pid } of rows as Iterable<{ pid: string }>) this.#pid = pid;
  }

  get lost(): boolean {
    return this.#lostBy !== null;
  }

  async query(text: string, params: readonly Param[]): Promise<Iterable<object>> {
    const name = this.#nameOf(text);
    const values = [...params];
    const sent = this.#send(name === undefined ? { text, values } : { name, text, values });
    const [{ rows }] = await Promise.all([sent, this.#forgetOldPlans()]);
    return rows;
  }

  /** The name that a text is prepared by; undefined if the server already keeps the maximum. */
  #nameOf(text: string): string | undefined {
    const known = this.#prepared.get(text);
    if (known !== undefined || this.#prepared.size >= limits.preparedStatements) return known;
    const name = `s${this.#prepared.size}`;
    this.#prepared.set(text, name);
    return name;
  }

  /**
   * PostgreSQL keeps a plan until it next gathers statistics, however much its tables grow. A plan made while they were
   * small reads them whole: for a minute, a lookup among 50,000 rows would take as long as reading all of them.
   */
  #forgetOldPlans(): Promise<string> | null {
    if (performance.now() - this.#plannedAt < this.#patience.plansKeptMs) return null;
    this.#plannedAt = performance.now();
    return this.simple('discard plans');
  }

  async simple(sql: string): Promise<string> {
    const result = await this.#send({ text: sql });
    // Several statements have one result each.
    return [result].flat().at(-1)?.command ?? '';
  }

  async cancel(): Promise<void> {
    if (this.lost || this.#underWay === 0) return;
    await this.#events.cancel?.(this.#pid);
    if (this.lost || this.#underWay === 0) return;
    // Some of PostgreSQL's work checks for no signal, such as matching a long pattern with a long text.
    this.#cancelled ??= setTimeout(
      () => this.discard(new DatabaseTimeout('A statement that was cancelled did not end.')),
      limits.cancelWithinMs,
    );
  }

  async #send(statement: QueryConfig) {
    if (this.#lostBy !== null) throw lostConnection(this.#lostBy);
    this.#count(1);
    // The server stands still, or the connection to it is cut without notice.
    const limit = this.unlimited
      ? undefined
      : setTimeout(
          () => this.discard(new DatabaseTimeout('The database did not answer in time.')),
          this.#patience.answerWithinMs,
        );
    try {
      return await this.#client.query(statement);
    } catch (error) {
      const fromServer = sqlState(error) !== '';
      if (!fromServer || kEnds.has((error as { severity?: unknown }).severity)) this.discard();
      throw fromServer ? error : this.#lostBy;
    } finally {
      clearTimeout(limit);
      this.#count(-1);
    }
  }

  get workedMs(): number {
    return (
      this.#worked + (this.#workingSince === null ? 0 : performance.now() - this.#workingSince)
    );
  }

  #count(more: 1 | -1): void {
    this.#underWay += more;
    if (this.#underWay > 0) {
      this.#workingSince ??= performance.now();
      return;
    }
    this.#worked = this.workedMs;
    this.#workingSince = null;
    if (this.#cancelled !== null) clearTimeout(this.#cancelled);
    this.#cancelled = null;
  }

  discard(error: Error = lostConnection()): void {
    if (this.#lostBy !== null) return;
    this.#lostBy = error;
    // The client then rejects all statements in progress.
    this.#socket.destroy();
    this.#events.lost?.();
  }

  async close(): Promise<void> {
    if (this.lost) return;
    this.#lostBy = lostConnection();
    const limit = setTimeout(() => this.#socket.destroy(), limits.connectWithinMs);
    await this.#client.end();
    clearTimeout(limit);
  }
}

function lostConnection(cause?: Error): ConnectionError {
  return new ConnectionError('The connection to the database was lost.', { cause });
}
