// Goal: no byte of a realm reaches a user without the right to it, and no answer shows whether a realm or a row exists
// that its caller may not see (docs/design.md, invariant 9). Method: a real server. Users found realms, write, move,
// delete, invite and remove at random (support/isolation/world.ts). A reader, who is a member now and then, asks every
// endpoint; all that it receives is searched for texts and ids that it may not know. Each question about a hidden
// realm is asked about one that never existed, too. SKERRY_ISOLATION_SEED=7 runs one seed.

import { afterEach, expect, test } from 'vitest';
import { byNight, rounds } from '../support/rounds.ts';
import { Ear, terminateAll } from './support/ear.ts';
import { Follower } from './support/follower.ts';
import { Caller, kSecret, parsed, type Seen, tokenOf } from './support/isolation/caller.ts';
import {
  type Asked,
  normal,
  probes,
  sameIdProbes,
  type Target,
} from './support/isolation/probes.ts';
import { isolationSchema, kTables } from './support/isolation/schema.ts';
import { mark, marksIn, Secrets } from './support/isolation/secrets.ts';
import { World } from './support/isolation/world.ts';
import { invite, remove } from './support/memberships.ts';
import { pick, type Random, random } from './support/random.ts';
import { type Json, uuid7 } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer({ args: ['--secret', kSecret], schema: isolationSchema });
afterEach(terminateAll);

const kSteps = 20;
/** Notes of the reader, of which each probe uses two. */
const kNotes = 100;
const one = process.env['SKERRY_ISOLATION_SEED'];
const seeds =
  one === undefined ? Array.from({ length: rounds(100, 2) }, (_, i) => i + 1) : [Number(one)];

/** By day each of two seeds asks half of the questions. */
const asksAll = one !== undefined || byNight;

class Reader {
  readonly secrets = new Secrets();
  readonly name: string;
  readonly token: string;
  readonly follower: Follower;
  readonly ear: Ear;
  answers = 0;
  #heard = 0;

  private constructor(name: string, token: string, ear: Ear) {
    this.name = name;
    this.token = token;
    this.ear = ear;
    this.follower = new Follower(server.url, name, kTables, this.caller());
  }

  static async begin(name: string): Promise<Reader> {
    const token = await tokenOf(name);
    const ear = await new Ear(server.url).opened();
    const scopes = kTables.map((table) => ({ table, where: ['true'] }));
    ear.hello({ token, client: uuid7(), schema: 1, scopes });
    await ear.hears(({ type }) => type === 'ready');
    return new Reader(name, token, ear);
  }

  /** A new client of the reader, whose answers are searched. */
  caller(): Caller {
    const caller = new Caller(server.url, this.name, this.token);
    // What the reader writes into rows of its own comes back to it.
    caller.onUpdate = ({ ops }) => {
      const own = ops.filter(({ realm }) => realm === `user:${this.name}`);
      this.secrets.reveal(JSON.stringify(own.map(({ set }) => set ?? null)));
      const made = own.filter(({ op }) => op === 'create');
      this.secrets.reveal(JSON.stringify(made.map(({ id }) => id)));
    };
    caller.onSeen = (sent, { headers, text }: Seen) => {
      this.answers++;
      expect(this.secrets.leaked(`${headers} ${text}`, sent), sent).toEqual([]);
    };
    return caller;
  }

  /** Everything that the socket has heard since the last call. */
  listen(): void {
    const news = this.ear.heard.slice(this.#heard);
    this.#heard = this.ear.heard.length;
    expect(this.secrets.leaked(JSON.stringify(news)), 'a poke').toEqual([]);
  }
}

class Run {
  readonly next: Random;
  readonly reader: Reader;
  readonly world: World;
  readonly log: string[] = [];
  /** Notes of the reader: to the first ones hidden rows refer. */
  readonly notes: readonly string[] = Array.from({ length: kNotes }, mark);
  #times: Record<string, string> = {};
  readonly #asked = new Set<string>();

  private constructor(next: Random, reader: Reader, world: World) {
    this.next = next;
    this.reader = reader;
    this.world = world;
  }

  static async begin(seed: number): Promise<Run> {
    const next = random(seed);
    const reader = await Reader.begin(`eve-${mark()}`);
    const world = await World.begin(server.url, reader.name, reader.secrets, next);
    const run = new Run(next, reader, world);
    world.aims = run.notes.slice(0, kNotes / 2);
    const realm = `user:${reader.name}`;
    const ops = run.notes.map((id) => ({
      ...{ op: 'create', table: 'notes', id, realm, set: { name: 'mine' } },
    }));
    expect(await reader.caller().push(ops)).toMatchObject({ status: 'applied' });
    return run;
  }

  async look(): Promise<void> {
    const { reader, next } = this;
    reader.listen();
    if (next(3) > 0) await reader.follower.follow({ refill: true });
    const caller = reader.caller();
    const table = pick(next, kTables);
    const lastUpdateTime = next(3) === 0 ? undefined : this.#times[table];
    const seen = await caller.call('POST', `/v1/tables/${table}`, { lastUpdateTime });
    this.#times[table] = String(parsed(seen).body.lastUpdateTime);
    const where = pick(next, [['true'], ['!=', 'realm', 'x'], ['not', ['=', 'id', 'x']]]);
    caller.scopes = [{ table, where, filled: false }];
    await caller.pull({ limit: 1 + next(5), streams: [{ stream: '*', filled: {} }] });
  }

  /** A hidden realm with a row, and a twin that does not exist. */
  async targets(): Promise<[Target, Target] | null> {
    const { world, next } = this;
    const { name: realm, members } = pick(next, world.hidden);
    const rows = [...world.rows.values()].filter((row) => row.realm === realm);
    const unused = world.updates.filter(({ id }) => !this.#asked.has(id));
    const updates = unused.filter((update) => update.realm === realm);
    const member = world.users.find(({ user }) => members.has(user));
    if (rows.length === 0 || updates.length === 0 || member === undefined) return null;
    const row = pick(next, rows);
    const { id: update, action } = pick(next, updates);
    const pulled = await new Caller(server.url, member.user, member.token).pull();
    const cursor = String((pulled.body.cursors as Json)[realm] ?? '3@1760000000000');
    const table = await member.call('POST', `/v1/tables/${row.table}`, {});
    const time = String(parsed(table).body.lastUpdateTime);
    const aimed = new Set([...world.rows.values()].map(({ note: aim }) => aim));
    const notes = this.notes.filter((id) => !this.#asked.has(id));
    const note = notes.find((id) => aimed.has(id)) ?? notes[0]!;
    const other = notes.findLast((id) => id !== note)!;
    // The reader may use an id once, and delete a note once.
    for (const id of [update, note, other]) this.#asked.add(id);
    const pathOf = (kind: string, name: string) => `/v1/${kind}/${encodeURIComponent(name)}`;
    const image = (name: string) =>
      `${pathOf('snapshot', name)}/${'e'.repeat(36)}/3/${'a'.repeat(64)}`;
    const snapshot = (name: string) => `${pathOf('streams', name)}/chat/1/3/${'a'.repeat(32)}`;
    const target: Target = {
      ...{ realm, table: row.table, id: row.id, name: row.name, member: member.user },
      ...{ update, action, cursor, image: image(realm), time, note },
      ...{ stream: 'chat', snapshot: snapshot(realm) },
    };
    const isUuid = /^[0-9a-f]{8}-/.test(realm);
    const twinRealm = isUuid ? uuid7() : realm.replace(/zq.*/, mark());
    const twin: Target = {
      ...target,
      // The next id: the reader holds none between the two.
      ...{ realm: twinRealm, id: row.id.replace(/zq$/, 'zr'), name: mark(), member: mark() },
      ...{
        update: uuid7(),
        action: uuid7(),
        image: image(twinRealm),
        snapshot: snapshot(twinRealm),
      },
      ...{ time: time.replace(/.(?=.{9}$)/, (last) => (last === 'A' ? 'B' : 'A')) },
      note: other,
    };
    return [target, twin];
  }

  async probe(all: typeof probes): Promise<void> {
    const targets = await this.targets();
    if (targets === null) return;
    const differences: unknown[] = [];
    for (const [name, probe] of all) {
      const founded = targets[1].realm;
      // A realm that does not exist may be founded, under a name that nobody can guess.
      if (name === 'push: found again' && /^[0-9a-f]{8}-/.test(founded)) continue;
      const asked = [];
      for (const target of targets) asked.push(await probe(target, this.reader.caller()));
      const [about, twin] = asked.map(({ answers, made }: Asked) =>
        answers.map((text) => normal(text, targets, made)),
      );
      if (JSON.stringify(about) !== JSON.stringify(twin)) differences.push({ name, about, twin });
    }
    expect(differences, JSON.stringify(targets)).toEqual([]);
  }

  /** In the end the reader has exactly what it may read: the search has missed nothing by receiving nothing. */
  async complete(): Promise<void> {
    await this.reader.follower.follow();
    const held = [...this.reader.follower.rows]
      .filter(([key]) => !key.startsWith('user:'))
      .map(([key, { name, role }]) => `${key} ${name ?? role}`);
    const readable = this.world.readable.flatMap((realm) => [
      ...[...realm.members].map(
        ([user, role]) => `${realm.name} $members ${realm.name}/${user} ${role}`,
      ),
      ...this.world.rowsIn(realm).map((row) => `${realm.name} ${row.table} ${row.id} ${row.name}`),
    ]);
    expect(held.sort()).toEqual(readable.sort());
  }
}

test.each(seeds)('a reader learns nothing of what it may not read, seed %i', async (seed) => {
  const run = await Run.begin(seed);
  try {
    for (let step = 0; step < kSteps; step++) {
      run.log.push(await run.world.step());
      await run.look();
      if (step % 10 === 9) await run.complete();
      if (step % 5 === 4) await run.probe([pick(run.next, probes), pick(run.next, probes)]);
    }
    await run.probe(probes.filter((_, i) => asksAll || i % 2 === seed % 2));
    await run.probe(sameIdProbes);
  } catch (error) {
    throw new Error(`seed ${seed}:\n${run.log.join('\n')}`, { cause: error });
  }
  run.reader.listen();
  expect(run.reader.secrets.count).toBeGreaterThan(50);
  expect(run.reader.answers).toBeGreaterThan(60);
});

test('an image is for members only; to others it is like one that never was', async () => {
  const callers = await Promise.all(
    ['anna', 'bo', 'eve'].map(async (name) => new Caller(server.url, name, await tokenOf(name))),
  );
  const [anna, bo, eve] = callers as [Caller, Caller, Caller];
  const [realm, secret] = [uuid7(), mark()];
  const rows = Array.from({ length: 2_100 }, (_, i) => ({
    ...{ op: 'create', table: 'notices', id: `${secret} ${i}`, realm },
    set: { name: secret },
  }));
  const members = [invite(realm, 'anna', 'owner'), invite(realm, 'bo', 'reader')];
  expect(await anna.push([...members, ...rows])).toMatchObject({ status: 'applied' });
  anna.scopes = kTables.map((table) => ({ table, where: ['true'], filled: false }));
  const { body } = await anna.pull();
  const [offer] = (body.fills as Json[]).filter(({ url }) => url !== undefined);
  const path = String(offer?.url);
  const unknown = path.replace(realm, uuid7());
  const seen = (caller: Caller, at = path) => caller.call('GET', at);
  const [own, foreign] = [await seen(bo), await seen(eve)];
  expect([own.status, marksIn(own.text).has(secret)]).toEqual([200, true]);
  expect([foreign.status, foreign]).toEqual([404, await seen(eve, unknown)]);
  expect(await anna.push([remove(realm, 'bo')])).toMatchObject({ status: 'applied' });
  expect(await seen(bo)).toEqual(foreign);
});
