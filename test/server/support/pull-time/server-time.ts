// How long a server has worked, in ms: the processor time of its process, with all of its threads (PGlite is one), and of the
// processes that PostgreSQL has for its connections. Other work on the machine does not count, as it would in the time of a
// wall clock. Both databases read from memory here, so little of the time of an answer is waiting.

import { readFileSync } from 'node:fs';
import type { Client } from 'pg';
import { connectTo } from '../database.ts';

const kTicksPerSecond = 100;
const kRounds = 10_000_000;
/** What the computation takes on a machine with nothing else to do (test/support/patience.ts). */
const kReferenceMs = 20;

function processorMs(pid: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return 0; // It has ended.
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / kTicksPerSecond;
}

export class ServerTime {
  readonly #pid: number;
  readonly #database: Client | null;

  private constructor(pid: number, database: Client | null) {
    this.#pid = pid;
    this.#database = database;
  }

  /** `url`: of its database, if that is PostgreSQL. */
  static async of(pid: number, url: string | undefined): Promise<ServerTime> {
    return new ServerTime(pid, url === undefined ? null : await connectTo(url));
  }

  /** The work of the server so far. */
  async ms(): Promise<number> {
    let ms = processorMs(this.#pid);
    const found = await this.#database?.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    for (const { pid } of found?.rows ?? []) ms += processorMs(pid);
    return ms;
  }

  async end(): Promise<void> {
    await this.#database?.end();
  }
}

/** How many times longer a computation takes here, in processor time: caches and cores are shared, too. */
export function slowerBy(): number {
  const before = process.cpuUsage();
  let state = 1;
  for (let i = 0; i < kRounds; i++) state = (Math.imul(state ^ i, 0x9e3779b1) >>> 1) | 1;
  const { user } = process.cpuUsage(before);
  return state === 0 ? 1 : Math.max(1, user / 1000 / kReferenceMs);
}
