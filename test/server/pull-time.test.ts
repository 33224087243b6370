// Goal: a pull is answered within two seconds of the server's own work, whatever it asks for, or is refused at once; a part of
// what it asks for comes with the next one. Method: a real server; data of every shape, written right before; random scopes,
// and those that once were too slow. The work is that of the processes (support/pull-time/server-time.ts).
// SKERRY_PULL_SEED=7 runs one seed.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { byNight, rounds } from '../support/rounds.ts';
import { postgresUrl } from './support/database.ts';
import { allAlike, Data, pullTimeSchema, shapeOf } from './support/pull-time/data.ts';
import { scopesOf, worst } from './support/pull-time/scopes.ts';
import { ServerTime, slowerBy } from './support/pull-time/server-time.ts';
import { random } from './support/random.ts';
import { type Json, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer({
  schema: pullTimeSchema,
  args: [
    '--dev',
    '--limit',
    'workPerUser=0',
    '--limit',
    'requestsPerUser=0',
    '--limit',
    'requestsPerClient=0',
  ],
});

const kMostMs = 2_000;
const one = process.env['SKERRY_PULL_SEED'];
const seeds =
  one === undefined ? Array.from({ length: rounds(20, 2) }, (_, i) => i + 1) : [Number(one)];
/** Rows of each table in a large realm; small realms; members; sets of scopes. */
const rowsOf = (seed: number) => (byNight ? 60_000 : seed === 1 ? 6_000 : 2_000);
const kSmall = byNight ? 3_000 : 100;
const kMembers = byNight ? 7_900 : 500;
const kSets = byNight ? 20 : 2;
/** Answers in a row to one client. */
const kAnswers = 40;

/** Of a single seed it says what each took. */
const note = (...said: unknown[]) => {
  if (one !== undefined) console.log(...said);
};

let time: ServerTime;
beforeAll(async () => {
  const name = `skerry_${server.folder.path.slice(-6).toLowerCase()}`;
  const url =
    postgresUrl === undefined
      ? undefined
      : Object.assign(new URL(postgresUrl), { pathname: name }).href;
  time = await ServerTime.of(server.pid ?? 0, url);
});
afterAll(() => time?.end());

/** What a client may be told if it asks for too much: what that is, and what would do. */
const kTooMuch = /index|fewer|narrower|may (cost|have)/;

/** A client of the reader, every answer of which is measured. */
class Measured {
  readonly client: WireClient;
  slowest = 0;
  refused = 0;
  answers = 0;

  constructor(user: string, scopes: Json[]) {
    this.client = new WireClient(server.url, user);
    this.client.scopes = scopes;
  }

  /** Pulls until there is no more, but for so long only; false if it was refused. */
  async pull(more: Json = {}, most = kAnswers): Promise<boolean> {
    for (let i = 0; i < most; i++) {
      const before = await time.ms();
      const { status, body } = await this.client.pull({ refill: true, images: false, ...more });
      const ms = (await time.ms()) - before;
      this.answers++;
      this.slowest = Math.max(this.slowest, ms);
      if (ms > kMostMs)
        expect(ms / slowerBy(), JSON.stringify(this.client.scopes)).toBeLessThan(kMostMs);
      if (status !== 200) {
        this.refused++;
        const code = body.code === 'invalid' ? body.reason : body.code;
        expect([status, code], JSON.stringify(body)).toEqual([422, 'limit']);
        expect(body.detail).toMatch(kTooMuch);
        return false;
      }
      this.#take(body);
      if (body.more !== true) return true;
    }
    return true;
  }

  #take(body: Json): void {
    this.client.cursors = { ...this.client.cursors, ...(body.cursors as Record<string, string>) };
    for (const { table, where } of (body.refill ?? []) as Json[])
      this.#scope(table, where).filled = false;
    for (const { table, where, upto } of body.fills as Json[])
      this.#scope(table, where).filled = upto ?? true;
  }

  #scope(table: unknown, where: unknown): Json {
    const text = JSON.stringify([table, where]);
    return this.client.scopes.find((scope) => JSON.stringify([scope.table, scope.where]) === text)!;
  }

  get isFilled(): boolean {
    return this.client.scopes.every(({ filled }) => filled === true);
  }
}

describe.each(seeds)('seed %i', (seed) => {
  const next = random(seed);
  const reader = `reader-${seed}`;
  let written: Data;
  let small: string[];

  beforeAll(async () => {
    const shape = seed === 1 ? allAlike : shapeOf(next);
    written = new Data(next, server.url, `writer-${seed}`, shape);
    await written.large(reader, rowsOf(seed), kMembers);
    small = await written.small(reader, kSmall);
    note(JSON.stringify(shape));
  });

  test('answers costly pulls in time, whatever the data', async () => {
    for (const [name, scopes] of worst) {
      const asking = new Measured(reader, structuredClone(scopes));
      await asking.pull();
      note(name, asking.slowest, asking.answers, asking.refused);
    }
  });

  test('answers random scopes, and again after changes', async () => {
    for (let set = 0; set < kSets; set++) {
      const asking = new Measured(reader, scopesOf(next));
      if (!(await asking.pull())) continue;
      await written.change(1 + next(300));
      const filled = asking.isFilled;
      const answered = await asking.pull({ limit: next(2) === 0 ? 10_000 : 1 });
      if (filled) expect(answered, 'a filled scope is pulled again').toBe(true);
      note(
        set,
        asking.slowest,
        asking.answers,
        asking.refused,
        filled,
        JSON.stringify(asking.client.scopes).slice(0, 400),
      );
    }
  });

  test('answers for very many realms that have all changed', async () => {
    const asking = new Measured(reader, scopesOf(next));
    await asking.pull();
    await written.touch(small);
    await asking.pull();
    note('realms', asking.slowest, asking.answers);
  });
});
