// A user with two realms, whose two clients push at random, and a third client, who receives all of it. Everything that
// the two are sent is kept as a transcript, in which ids, names and times have no values of their own: two parties that
// do the same in two places have the same transcript, if nothing else is in it.

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { type Ear, listenAt } from '../ear.ts';
import { Follower } from '../follower.ts';
import { kTables } from '../isolation/schema.ts';
import { invite, isRights } from '../memberships.ts';
import { pick, type Random, random } from '../random.ts';
import { type Json, post, uuid7, WireClient } from '../server.ts';

/** Ids of every table: few, so that ops meet. */
const kIds = 2;
/** What fails a transcript's comparison, in words. */
export type Transcript = readonly string[];

const kUuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** A prop that is null may be left out. */
const rowsOf = ({ rows }: Follower) =>
  [...rows]
    .map(([key, props]) => [
      key,
      Object.entries(props)
        .filter(([, value]) => value !== null)
        .sort(),
    ])
    .sort();

export class Party {
  readonly user: string;
  readonly realms: readonly [string, string];
  readonly #url: string;
  /** The end of every id of this run. */
  readonly #run: string;
  readonly #next: Random;
  readonly #writers: readonly WireClient[];
  readonly #reader: Follower;
  readonly #ear: Ear;
  readonly #transcript: string[] = [];
  readonly #times: Record<string, unknown> = {};
  #flushes = 0;

  private constructor(url: string, user: string, run: string, seed: number, ear: Ear) {
    this.#url = url;
    this.user = user;
    this.realms = [`user:${user}`, uuid7()];
    this.#run = run;
    this.#next = random(seed);
    this.#writers = [new WireClient(url, user), new WireClient(url, user)];
    this.#reader = new Follower(url, user, kTables);
    this.#ear = ear;
  }

  /** `run` names the ids: parties of one run write the same ones. The seed decides what is written. */
  static async begin(url: string, user: string, run: string, seed: number): Promise<Party> {
    const ear = await listenAt(url, user, kTables);
    const party = new Party(url, user, run, seed, ear);
    const founding = await party.#writers[0]!.push([invite(party.realms[1], user, 'owner')]);
    expect(founding).toMatchObject({ status: 'applied' });
    // From then on the socket misses nothing.
    await ear.hears(isRights(user));
    return party;
  }

  /** One update, and all that its user is sent after it. */
  async step(): Promise<void> {
    const ops = Array.from({ length: 1 + this.#next(3) }, () => this.#op());
    const writer = pick(this.#next, this.#writers);
    const { chain } = writer;
    writer.chain = { ...chain };
    const { status, body } = await writer.send([writer.update(ops)]);
    const [result] = body.results as Json[];
    this.#note(`push ${JSON.stringify(ops)}`, { status, body });
    if (result?.status !== 'applied') writer.chain = chain;
    if (this.#next(3) > 0) await this.#pull();
    if (this.#next(4) === 0) await this.#readTable(pick(this.#next, kTables));
  }

  /** The end: what a new client is sent, and all pokes. */
  async end(): Promise<Transcript> {
    await this.#pull();
    const fresh = new Follower(this.#url, this.user, kTables);
    await fresh.follow();
    for (const answer of fresh.answers) this.#note('pull from the beginning', answer);
    for (const table of kTables) await this.#readTable(table);
    expect(rowsOf(fresh)).toEqual(rowsOf(this.#reader));
    this.#note('pokes', await this.#poked());
    return this.#transcript;
  }

  #op(): Json {
    const next = this.#next;
    const realm = pick(next, this.realms);
    const table = pick(next, kTables);
    const at = { table, id: this.#id(), realm };
    const kind = pick(next, ['create', 'create', 'create', 'update', 'inc', 'delete', 'move']);
    const value = () => (next(5) === 0 ? null : this.#id());
    const name = `name ${next(3)}`;
    const refers = ['parts', 'links', 'locks', 'marks'].includes(table);
    const set = {
      name,
      ...(refers ? { note: value() } : {}),
      ...(table === 'notes' && next(3) === 0 ? { code: `code ${next(2)}` } : {}),
    };
    const unless = next(6) === 0 ? { if: next(8) } : {};
    if (kind === 'create') return { op: 'create', ...at, set };
    if (kind === 'update') return { op: 'update', ...at, set, ...unless };
    if (kind === 'inc') return { op: 'inc', ...at, table: 'notes', add: { votes: 1 + next(3) } };
    if (kind === 'delete') return { op: 'delete', ...at, ...unless };
    const to = this.realms.find((other) => other !== realm);
    return { op: 'move', ...at, to };
  }

  #id(): string {
    return `k${this.#next(kIds)}-${this.#run}`;
  }

  async #pull(): Promise<void> {
    await this.#reader.follow({ limit: 1 + this.#next(6) });
    for (const answer of this.#reader.answers) this.#note('pull', answer);
  }

  async #readTable(table: string): Promise<void> {
    for (;;) {
      const asked = { lastUpdateTime: this.#times[table] };
      const { status, body } = await post(this.#url, `/v1/tables/${table}`, asked, {
        authorization: `Bearer dev:${this.user}`,
      });
      this.#note(`table ${table}`, { status, body });
      this.#times[table] = body.lastUpdateTime;
      if (body.more !== true) return;
    }
  }

  /** The tables that each realm was poked for. A realm pokes at most once in 50 ms, so the number of pokes says nothing. */
  async #poked(): Promise<unknown> {
    for (const realm of this.realms) {
      const id = `flush ${this.#flushes++}`;
      const op = { op: 'create', table: 'notices', id, realm, set: { name: 'flush' } };
      const { revisions } = await this.#writers[0]!.push([op]);
      const revision = (revisions as Json)[realm];
      await this.#ear.hears((heard) => heard.realm === realm && heard.revision === revision);
    }
    const tables: Record<string, string[]> = {};
    for (const { realm, tables: of } of this.#ear.pokes()) {
      const known = tables[String(realm)] ?? [];
      tables[String(realm)] = [...new Set([...known, ...(of as string[])])].sort();
    }
    return Object.entries(tables).sort(([a], [b]) => a.localeCompare(b));
  }

  #note(what: string, answer: unknown): void {
    const names = new Map<string, string>();
    const text = `${what}: ${JSON.stringify(answer)}`
      .replaceAll(this.user, '<user>')
      .replaceAll(this.realms[1], '<realm>')
      .replaceAll(this.#run, '<run>')
      .replaceAll(kUuid, (uuid) => {
        if (!names.has(uuid)) names.set(uuid, `<uuid ${names.size}>`);
        return names.get(uuid)!;
      })
      .replaceAll(/"(time|at|createdAt|modifiedAt)":\d+/g, '"$1":0')
      .replaceAll(/"(lastUpdateTime|realmsToken)":"[^"]*"/g, '"$1":""')
      .replaceAll(/(\d+)@\d+/g, '$1@0');
    this.#transcript.push(text);
  }
}

/** An end of ids that no other run has, and that orders them alike. */
export const runName = (seed: number, turn: string) =>
  createHash('sha256').update(`${seed} ${turn}`).digest('hex').slice(0, 12);
