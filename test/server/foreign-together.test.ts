// Goal: programs and clients that write at the same time neither lose anything nor see each other's deadlocks, and a client that pulls from any
// point of its past has what the database has. Method: generated transactions on several connections beside generated pushes of several
// clients, while others pull. Between the rounds everybody waits, and pulls, log and tables are compared. On PGlite, which has one connection,
// transactions of the application's own SQL are queued between the pushes.

import { afterEach, expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { postgresUrl } from './support/database.ts';
import type { Follower, FollowerPlace } from './support/follower.ts';
import { ForeignWorld } from './support/foreign-world.ts';
import {
  known,
  kRealms,
  kTriggers,
  pushedOp,
  transaction,
  widerStatement,
} from './support/foreign-writes.ts';
import { pick, type Random, random } from './support/random.ts';
import { type Json, uuid7, type WireClient } from './support/server.ts';

const one = process.env['SKERRY_TOGETHER_SEED'];
const kSeeds =
  one === undefined
    ? Array.from({ length: rounds(60, postgresUrl === undefined ? 2 : 3) }, (_, i) => i + 1)
    : [Number(one)];
/** PGlite has one connection, so that less can happen, and is slower. */
const kRounds = postgresUrl === undefined ? 1 : 3;
const kProgramSteps = 8;
const kClientSteps = 10;
/** Pasts from which it is pulled again after each round. */
const kPasts = 12;
/** A program's own conflicts: with constraints, or, since it locks rows in any order, with other programs. */
const kOwnConflicts = /^(23...|40P01)$/;

let world: ForeignWorld;
afterEach(() => world.close());

/** A promise for the next time that something happens. */
class Event {
  #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  happens(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

class Together {
  readonly groups = Array.from({ length: 3 }, () => uuid7());
  readonly #seed: number;
  readonly #pasts: { readonly user: string; readonly place: FollowerPlace }[] = [];
  /** A client has got an answer, or all have ended. */
  readonly #answered = new Event();
  #pushing = 0;
  readonly what: string[] = [];
  /**
   * Programs have their entries made early, and hold their realms from then on. None waits for clients then: these would wait for it, or for
   * one that waits for a row of it.
   */
  readonly #isEarly: boolean;

  constructor(seed: number) {
    this.#seed = seed;
    this.#isEarly = seed % 3 === 0;
  }

  /** A program that waits within a transaction until a client has got an answer. */
  async program(index: number): Promise<void> {
    const next = this.#random(index);
    const program = postgresUrl === undefined ? undefined : await world.program();
    // Deadlocks between programs are found sooner.
    await program?.query(`set deadlock_timeout = '50ms'`);
    for (let step = 0; step < kProgramSteps; step++) {
      const all = transaction(next, this.groups, widerStatement);
      const statements = this.#isEarly ? all : all.filter((each) => !each.startsWith('set '));
      this.what.push(`program ${index}: ${statements.join('; ')}`);
      const waitsAfter = next(10) > 0 || this.#isEarly ? undefined : pick(next, statements);
      try {
        if (program === undefined) {
          await world.write(...statements);
          continue;
        }
        await program.query('begin');
        for (const statement of statements) {
          await program.query(statement);
          if (statement === waitsAfter && this.#pushing > 0) await this.#answered.next();
        }
        await program.query('commit');
      } catch (error) {
        await program?.query('rollback');
        const { code } = error as { code?: string };
        if (!kOwnConflicts.test(String(code)))
          throw new Error(`${code} after ${statements.join(';\n')}`, { cause: error });
      }
    }
  }

  async pushes(client: WireClient, index: number): Promise<void> {
    const next = this.#random(100 + index);
    this.#pushing++;
    for (let step = 0; step < kClientSteps; step++) {
      const ops = Array.from({ length: 1 + next(3) }, () => this.#op(next));
      this.what.push(`client ${index}: ${JSON.stringify(ops)}`);
      const result = await client.pushUntilSettled(ops, () => this.#answered.happens());
      expect(JSON.stringify(result)).not.toMatch(/deadlock/);
    }
    this.#pushing--;
    this.#answered.happens();
  }

  #op(next: Random): Json {
    if (next(4) > 0) return pushedOp(next, this.groups);
    const realm = pick(next, kRealms);
    const set = { group: pick(next, this.groups), person: `p${next(5)}` };
    return { op: 'create', table: 'members', id: uuid7(), realm, set };
  }

  /** One round: all write, and the followers pull, until everybody has ended. */
  async round(
    index: number,
    clients: readonly WireClient[],
    followers: readonly Follower[],
  ): Promise<void> {
    let isOver = false;
    const writing = Promise.all([
      ...[1, 2, 3].map((program) => this.program(index * 10 + program)),
      ...clients.map((client, i) => this.pushes(client, index * 10 + i)),
    ]).finally(() => {
      isOver = true;
      this.#answered.happens();
    });
    await Promise.all([
      writing,
      ...followers.map((follower) => this.#pulls(follower, () => isOver)),
    ]);
  }

  async #pulls(follower: Follower, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.#answered.next();
      await follower.follow();
      this.#pasts.push({ user: follower.client.user, place: follower.place });
    }
  }

  /** While nobody writes. */
  async compare(followers: readonly Follower[], round: number): Promise<void> {
    await expect.poll(owed).toBe(0);
    for (const follower of followers) {
      await follower.follow();
      expect(known(follower.rows)).toEqual(await rowsOf(follower.client.user));
      this.#pasts.push({ user: follower.client.user, place: follower.place });
    }
    const next = this.#random(1000 + round);
    for (let times = 0; times < kPasts; times++) {
      const { user, place } = pick(next, this.#pasts);
      const late = world.follower(user);
      late.goOnFrom(place);
      await late.follow();
      expect(known(late.rows), JSON.stringify(place.cursors)).toEqual(await rowsOf(user));
    }
    expect(await faultsOfLog()).toEqual([]);
    expect(world.logged).toEqual([]);
  }

  #random(index: number): Random {
    return random(this.#seed * 10_007 + index);
  }
}

async function owed(): Promise<number> {
  const [row] = await world.server.sql.query<{ n: string }>(
    'select count(*)::text as n from skerry.owed',
  );
  return Number(row?.n);
}

/** The rows that a user may read. */
async function rowsOf(user: string): Promise<Record<string, Json>> {
  const all = [...(await world.rows())].filter(([key]) =>
    ['public', `user:${user}`].includes(key.slice(0, key.indexOf(' '))),
  );
  return known(new Map(all));
}

/** Gaps of revisions, times that go back, rows whose revision or time is not that of their last change, and notes that were left. */
function faultsOfLog(): Promise<unknown[]> {
  const tables = ['cities', 'user_groups', 'members', 'notices'];
  const names = ['cities', 'userGroups', 'members', 'notices'];
  const rows = tables.map(
    (table, i) => `select 'row' as fault, t.realm, t.id from ${table} t left join lateral (
        select max(c.revision) as revision from skerry.change c
         where c.realm = t.realm and c.table_name = '${names[i]}' and c.id = t.id) c on true
        left join skerry.log l on l.realm = t.realm and l.revision = c.revision
       where t.deleted_at is null and (t.revision is distinct from c.revision or skerry.to_ms(t.modified_at) is distinct from l.at)`,
  );
  return world.server.sql.query(`
    select 'head' as fault, r.realm, r.head::text as id from skerry.realm r
     where r.head <> (select count(*) from skerry.log l where l.realm = r.realm)
        or r.head <> (select coalesce(max(l.revision), 0) from skerry.log l where l.realm = r.realm)
    union all
    select 'time', l.realm, l.revision::text from (
      select l.*, lag(l.at) over (partition by l.realm order by l.revision) as before from skerry.log l) l where l.at < l.before
    union all
    select 'left', coalesce(r.realm, ''), r.id from skerry.raw r
    union all ${rows.join(' union all ')}`);
}

test.each(kSeeds)('programs and clients write at the same time, %i', async (seed) => {
  world = await ForeignWorld.open();
  if (seed % 2 === 0) await world.write(...kTriggers);
  const together = new Together(seed);
  const clients = ['ada', 'ada', 'bo'].map((user) => world.client(user));
  const followers = ['ada', 'bo'].map((user) => world.follower(user));
  try {
    for (let round = 0; round < kRounds; round++) {
      await together.round(round, clients, followers);
      await together.compare(followers, round);
    }
  } catch (error) {
    throw new Error(`seed ${seed}:\n${together.what.join('\n')}`, { cause: error });
  }
  expect(await world.findings()).toEqual([]);
});
