// One connection to PostgreSQL, by postgres.js with a pool of one. It is opened once and never again: postgres.js would
// reconnect by itself, and send what was still waiting, the second half of a transaction, on the new connection, where it
// would commit alone. So the socket is ours, handed over once; whoever loses a connection takes a new one.

import { connect, type Socket } from 'node:net';
import postgres from 'postgres';
import { limits } from '../base/limits.ts';
import { ConnectionError, DatabaseTimeout, type Param, sqlState } from './database.ts';
import type { Session } from './session.ts';

export interface ConnectionEvents {
  readonly notified?: (channel: string, payload: string) => void;
  readonly lost?: () => void;
  /** Has the server give up what this connection of it runs. */
  readonly cancel?: (pid: string) => Promise<void>;
}

/** How long PostgreSQL may take for a statement, how long its answer is waited for, and how long plans are kept. */
export interface Patience {
  readonly statementMs: number;
  readonly answerWithinMs: number;
  readonly plansKeptMs?: number;
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

export class PgConnection implements Session {
  readonly #sql: postgres.Sql;
  readonly #events: ConnectionEvents;
  readonly #pending = new Set<(error: unknown) => void>();
  /** The texts that the server keeps prepared for this connection; filters make new ones without end. */
  readonly #prepared = new Set<string>();
  readonly #answerWithinMs: number;
  readonly #plansKeptMs: number;
  #plannedAt = performance.now();
  #deadline: NodeJS.Timeout | null = null;
  unlimited = false;
  /** Since when statements are under way, and for how long some were before. */
  #workingSince: number | null = null;
  #worked = 0;
  /** Runs while a statement that was cancelled is waited for. */
  #cancelled: NodeJS.Timeout | null = null;
  #pid = '';
  #lost = false;

  private constructor(
    url: string,
    socket: Socket,
    events: ConnectionEvents,
    { statementMs, answerWithinMs, plansKeptMs = limits.plansKeptMs }: Patience,
  ) {
    this.#events = events;
    this.#answerWithinMs = answerWithinMs;
    this.#plansKeptMs = plansKeptMs;
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
      const rows = await connection.query('select pg_backend_pid()::text as pid', []);
      for (const { pid } of rows as Iterable<{ pid: string }>) connection.#pid = pid;
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
    const replanned = this.#forgetOldPlans();
    const rows = this.#send(() => this.#sql.unsafe(sql, [...params], { prepare }));
    return replanned === null ? rows : Promise.all([rows, replanned]).then(([rows]) => rows);
  }

  /**
   * PostgreSQL keeps a plan however much its tables grow, until it next gathers statistics. One that was made while they
   * were small reads them whole: for a minute, a lookup among 50,000 rows would take as long as reading all of them.
   */
  #forgetOldPlans(): Promise<string> | null {
    if (performance.now() - this.#plannedAt < this.#plansKeptMs) return null;
    this.#plannedAt = performance.now();
    return this.simple('discard plans');
  }

  async simple(sql: string): Promise<string> {
    const result = await this.#send(() => this.#sql.unsafe(sql).simple());
    return (result as { command?: string }).command ?? '';
  }

  async cancel(): Promise<void> {
    if (this.#lost || this.#pending.size === 0) return;
    await this.#events.cancel?.(this.#pid);
    if (this.#lost || this.#pending.size === 0) return;
    // Some of what PostgreSQL does looks up at no signal: a long pattern over a long text, say.
    this.#cancelled ??= setTimeout(
      () => this.discard(new DatabaseTimeout('A statement that was cancelled did not end.')),
      limits.cancelWithinMs,
    );
  }

  #send<Value>(start: () => PromiseLike<Value>): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      if (this.#lost) {
        reject(new ConnectionError('The connection to the database is lost.'));
        return;
      }
      this.#pending.add(reject);
      this.#work();
      // What is sent says nothing of whether answers come.
      if (this.#deadline === null) this.#await();
      start().then(
        (value) => {
          this.#pending.delete(reject);
          this.#work();
          this.#await();
          resolve(value);
        },
        (error: unknown) => {
          this.#pending.delete(reject);
          this.#work();
          this.#await();
          const severity = (error as { severity?: unknown } | null)?.severity;
          // What does not come from the server comes from the way to it.
          if (sqlState(error) === '' || kEnds.has(severity)) this.discard();
          reject(error);
        },
      );
    });
  }

  get workedMs(): number {
    return (
      this.#worked + (this.#workingSince === null ? 0 : performance.now() - this.#workingSince)
    );
  }

  #work(): void {
    if (this.#pending.size > 0) {
      this.#workingSince ??= performance.now();
      return;
    }
    if (this.#cancelled !== null) clearTimeout(this.#cancelled);
    this.#cancelled = null;
    if (this.#workingSince !== null) {
      this.#worked = this.workedMs;
      this.#workingSince = null;
    }
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

  discard(error = new ConnectionError('The connection to the database was lost.')): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const reject of this.#pending) reject(error);
    this.#pending.clear();
    this.#work();
    this.#await();
    this.#end(0);
    this.#events.lost?.();
  }

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
