// One connection to PostgreSQL, by postgres.js with a pool of one. It is opened once and never again: postgres.js would
// reconnect by itself, and send what was still waiting, the second half of a transaction, on the new connection, where it
// would commit alone. So the socket is ours, handed over once; whoever loses a connection takes a new one.

import { connect, type Socket } from 'node:net';
import postgres from 'postgres';
import { limits } from '../limits.ts';
import { ConnectionError, DatabaseTimeout, type Param, sqlState } from './database.ts';

export interface ConnectionEvents {
  readonly notified?: (channel: string, payload: string) => void;
  readonly lost?: () => void;
}

/** How long PostgreSQL may take for a statement, and how long its answer is waited for. */
export interface Patience {
  readonly statementMs: number;
  readonly answerWithinMs: number;
}

interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false;
}

function dialOne(target: { path: string } | { host: string; port: number }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(target);
    const limit = setTimeout(
      () => socket.destroy(new ConnectionError('The database did not answer in time.')),
      limits.connectWithinMs,
    );
    socket.once('connect', () => {
      clearTimeout(limit);
      // Statements are sent one by one; what waited to be filled up would wait for an answer first.
      socket.setNoDelay(true);
      resolve(socket);
    });
    // Stays for good: an error that comes before postgres.js listens must not end the process.
    socket.on('error', (error) => {
      clearTimeout(limit);
      reject(error);
    });
  });
}

/** Connects to the first of the addresses that answers. */
async function dial({ host, port, path }: Address): Promise<Socket> {
  if (path) return dialOne({ path });
  let last: unknown = new ConnectionError('The database URL names no host.');
  for (const [i, name] of host.entries()) {
    try {
      return await dialOne({ host: name, port: port[i] ?? 5432 });
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** After these the session is gone, though the socket may not have said so yet. */
const kEnds = new Set<unknown>(['FATAL', 'PANIC']);

export class PgConnection {
  readonly #sql: postgres.Sql;
  readonly #events: ConnectionEvents;
  readonly #pending = new Set<(error: unknown) => void>();
  /** The texts that the server keeps prepared for this connection; filters make new ones without end. */
  readonly #prepared = new Set<string>();
  readonly #answerWithinMs: number;
  #deadline: NodeJS.Timeout | null = null;
  /** Whether statements may take as long as they take; PostgreSQL must have been told so, too. */
  unlimited = false;
  #lost = false;

  private constructor(
    url: string,
    socket: Socket,
    events: ConnectionEvents,
    { statementMs, answerWithinMs }: Patience,
  ) {
    this.#events = events;
    this.#answerWithinMs = answerWithinMs;
    let handed = false;
    const options = {
      max: 1,
      fetch_types: false,
      idle_timeout: undefined,
      max_lifetime: null,
      connect_timeout: limits.connectWithinMs / 1000,
      connection: {
        TimeZone: 'UTC',
        application_name: 'skerry-server',
        // A node that stands still must not hold its realms for ever.
        idle_in_transaction_session_timeout: limits.idleTransactionMs,
        statement_timeout: statementMs,
        // Plans are kept, and the first are made while tables are small: one that scans them would do so for long after
        // they have grown. What is read by each statement has an index.
        enable_seqscan: 'off',
        // The cost of a scan that cannot be avoided would look worth compiling for, which takes longer than most pages.
        jit: 'off',
      },
      onnotice: () => {},
      onnotify: (channel: string, payload: string) => events.notified?.(channel, payload),
      onclose: () => this.discard(),
      // Not among the declared options of postgres.js 3.4, but documented.
      socket: () => {
        if (handed) throw new ConnectionError('The connection is lost.');
        handed = true;
        return socket;
      },
    };
    this.#sql = postgres(url, options as unknown as postgres.Options<Record<string, never>>);
  }

  static async open(
    url: string,
    events: ConnectionEvents = {},
    patience: Patience = limits,
  ): Promise<PgConnection> {
    const address = postgres(url, { max: 1 }).options as unknown as Address;
    const connection = new PgConnection(url, await dial(address), events, patience);
    const limit = setTimeout(() => connection.discard(), limits.connectWithinMs);
    try {
      await connection.simple('select 1');
    } catch (error) {
      connection.discard();
      throw error;
    } finally {
      clearTimeout(limit);
    }
    return connection;
  }

  get lost(): boolean {
    return this.#lost;
  }

  query(sql: string, params: readonly Param[]): Promise<Iterable<object>> {
    const prepare = this.#prepared.has(sql) || this.#prepared.size < limits.preparedStatements;
    if (prepare) this.#prepared.add(sql);
    return this.#send(() => this.#sql.unsafe(sql, [...params], { prepare }));
  }

  /** Runs statements without parameters; resolves with the tag of the last one. */
  async simple(sql: string): Promise<string> {
    const result = await this.#send(() => this.#sql.unsafe(sql).simple());
    return (result as { command?: string }).command ?? '';
  }

  #send<Value>(start: () => PromiseLike<Value>): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      if (this.#lost) {
        reject(new ConnectionError('The connection to the database is lost.'));
        return;
      }
      this.#pending.add(reject);
      // What is sent says nothing of whether answers come.
      if (this.#deadline === null) this.#await();
      start().then(
        (value) => {
          this.#pending.delete(reject);
          this.#await();
          resolve(value);
        },
        (error: unknown) => {
          this.#pending.delete(reject);
          this.#await();
          const severity = (error as { severity?: unknown } | null)?.severity;
          // What does not come from the server comes from the way to it.
          if (sqlState(error) === '' || kEnds.has(severity)) this.discard();
          reject(error);
        },
      );
    });
  }

  /** The first was sent, or something was answered: the next answer has its time from now. */
  #await(): void {
    if (this.#deadline !== null && this.#pending.size > 0 && !this.unlimited) {
      this.#deadline.refresh();
      return;
    }
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
    if (this.#pending.size === 0 || this.unlimited || this.#lost) return;
    this.#deadline = setTimeout(
      // The server stands still, or the way to it does without saying so.
      () => this.discard(new DatabaseTimeout('The database did not answer in time.')),
      this.#answerWithinMs,
    );
  }

  /** Ends the connection at once; what waits on it is rejected. */
  discard(error = new ConnectionError('The connection to the database was lost.')): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const reject of this.#pending) reject(error);
    this.#pending.clear();
    this.#await();
    this.#end(0);
    this.#events.lost?.();
  }

  /** Ends the connection when what was sent has been answered. */
  async close(): Promise<void> {
    if (this.#lost) return;
    this.#lost = true;
    await this.#sql.end({ timeout: limits.connectWithinMs / 1000 });
  }

  #end(timeout: number): void {
    // It has been given up: how its end fares is of no interest any more.
    void this.#sql.end({ timeout }).catch(() => {});
  }
}
