// For tests of scopes with sub-selects: a schema of documents, their events, and topics that users follow; a client with
// one such scope, which folds answers as docs/protocol.md describes; and a recorder of every state of the realms.

import { expect } from 'vitest';
import { type Json, WireClient, type WireUpdate } from './server.ts';

const plain = { optional: false, index: false, unique: false };

export const joinSchema = {
  version: 1,
  accepts: [],
  tables: [
    {
      name: 'documents',
      ids: 'uuid',
      autosubscribe: false,
      props: [
        { name: 'owner', type: 'string', ...plain, index: true },
        { name: 'title', type: 'string', ...plain, optional: true },
      ],
    },
    {
      name: 'events',
      ids: 'uuid',
      autosubscribe: false,
      props: [
        {
          name: 'document',
          type: 'ref',
          ...plain,
          optional: true,
          ref: { table: 'documents', onDelete: 'cascade', touch: false },
        },
        { name: 'topic', type: 'string', ...plain, optional: true, index: true },
        { name: 'text', type: 'string', ...plain, optional: true },
      ],
    },
    {
      name: 'follows',
      ids: 'uuid',
      autosubscribe: false,
      props: [
        { name: 'user', type: 'string', ...plain },
        { name: 'topic', type: 'string', ...plain, optional: true },
      ],
    },
  ],
};

/** All events of all documents of a user. */
export const eventsOf = (user: string) => [
  'in',
  'document',
  { table: 'documents', select: 'id', where: ['=', 'owner', user] },
];
/** All events of the topics that a user follows. */
export const followedBy = (user: string) => [
  'in',
  'topic',
  { table: 'follows', select: 'topic', where: ['=', 'user', user] },
];

interface Row {
  readonly table: string;
  readonly id: string;
  readonly set: Json;
}
/** The rows of a realm, by table and id. */
export type Rows = ReadonlyMap<string, Row>;

/** The rows that a user's scopes hold: own documents and follows, and their events. */
export function inScope(rows: Rows, user: string): Row[] {
  const all = [...rows.values()];
  const mine = (table: string, prop: string) =>
    all.filter((row) => row.table === table && row.set[prop] === user);
  const documents = new Set(mine('documents', 'owner').map(({ id }) => id));
  const topics = new Set(mine('follows', 'user').map(({ set }) => String(set.topic ?? '')));
  topics.delete('');
  const events = all.filter(
    ({ table, set }) =>
      table === 'events' &&
      (documents.has(String(set.document)) || topics.has(String(set.topic ?? ''))),
  );
  return [...mine('documents', 'owner'), ...mine('follows', 'user'), ...events];
}

const keyOf = (realm: unknown, table: unknown, id: unknown) => `${realm} ${table} ${id}`;

/** Without props that are null, which an answer may name or leave out. */
const setProps = (set: Json) =>
  Object.fromEntries(Object.entries(set).filter(([, value]) => value !== null));

/** Rows as one sorted text each. */
export const texts = (realm: string, rows: Iterable<Row>) =>
  [...rows]
    .map(({ table, id, set }) =>
      JSON.stringify([keyOf(realm, table, id), Object.entries(setProps(set)).sort()]),
    )
    .sort();

/** A client that folds answers into rows. */
abstract class Folding {
  readonly client: WireClient;
  protected readonly held = new Map<string, Row & { readonly realm: string }>();

  constructor(client: WireClient) {
    this.client = client;
  }

  rowsOf(realm: string): Map<string, Row> {
    const found = new Map<string, Row>();
    for (const row of this.held.values())
      if (row.realm === realm) found.set(`${row.table} ${row.id}`, row);
    return found;
  }

  revisionOf(realm: string): string {
    return String(this.client.cursors[realm]).split('@')[0] as string;
  }

  protected put(realm: string, table: string, id: string, set: Json): void {
    this.held.set(keyOf(realm, table, id), { realm, table, id, set });
  }

  protected foldChanges(changes: readonly Json[]): void {
    for (const { change, table, id, realm, to, set } of changes as Record<string, string>[]) {
      const key = keyOf(realm, table, id);
      const before = this.held.get(key);
      if (change !== 'create') this.held.delete(key);
      if (change === 'delete' || change === 'leave') continue;
      if (change !== 'create') expect(before, `${change} of ${key}`).toBeDefined();
      const base = change === 'create' ? {} : before?.set;
      this.put(String(to ?? realm), String(table), String(id), {
        ...base,
        ...(set as unknown as Json),
      });
    }
  }
}

const kMostBusy = 20;

/** Every state of every realm, by realm and revision: it pulls one entry at a time, of all tables. */
export class Recorder extends Folding {
  readonly states = new Map<string, Map<string, Row>>();

  constructor(url: string, user: string) {
    super(new WireClient(url, user));
    this.client.scopes = joinSchema.tables.map(({ name }) => ({
      table: name,
      where: ['true'],
      filled: true,
    }));
  }

  async record(): Promise<void> {
    for (let more = true, busy = 0; more; ) {
      const { status, body } = await this.client.pull({ limit: 1 });
      // On a machine under load one entry may take the database too long.
      if (body.code === 'busy' && ++busy < kMostBusy) continue;
      expect([status, body.code]).toEqual([200, undefined]);
      this.foldChanges(body.changes as Json[]);
      this.client.cursors = body.cursors as Record<string, string>;
      for (const realm of Object.keys(this.client.cursors))
        this.states.set(`${realm} ${this.revisionOf(realm)}`, this.rowsOf(realm));
      more = body.more === true;
    }
  }
}

interface Page {
  readonly table: string;
  readonly above: string;
  readonly upto: string | null;
  readonly realms: readonly string[];
  readonly ids: readonly string[];
}

/** A client with scopes over own documents and follows, and over their events. */
export class JoinReader extends Folding {
  /** Own updates that it has not seen back. */
  outbox: WireUpdate[] = [];
  answers: Json[] = [];

  constructor(url: string, user: string) {
    super(new WireClient(url, user));
    this.client.scopes = [
      { table: 'events', where: ['or', eventsOf(user), followedBy(user)], filled: false },
      { table: 'documents', where: ['=', 'owner', user], filled: false },
      { table: 'follows', where: ['=', 'user', user], filled: false },
    ];
  }

  get isFilled(): boolean {
    return this.client.scopes.every(({ filled }) => filled === true);
  }

  /** Pushes an update, and returns its status. */
  async push(ops: readonly Json[]): Promise<unknown> {
    const chain = { ...this.client.chain };
    const update = this.client.update(ops);
    const { body } = await this.client.send([update]);
    const { status } = (body.results as Json[])[0] as Json;
    if (status === 'applied') this.outbox.push(update);
    else this.client.chain = chain;
    return status;
  }

  /** One pull. */
  async pull(more: Json = {}): Promise<Json> {
    const request = { refill: true, have: this.outbox.map(({ id }) => id), ...more };
    const { status, body } = await this.client.pull(request);
    expect([status, body.code, body.detail]).toEqual([200, undefined, undefined]);
    this.answers.push(body);
    this.#foldOwn(body.own as Record<string, Json>, request.have);
    this.foldChanges(body.changes as Json[]);
    for (const page of body.fills as Page[]) this.#replace(page, body);
    for (const scope of this.client.scopes) {
      const page = (body.fills as Page[]).find(({ table }) => table === scope.table);
      if (page !== undefined) scope.filled = page.upto ?? true;
      const refill = (body.refill ?? []) as Json[];
      if (refill.some(({ table }) => table === scope.table)) scope.filled = false;
    }
    this.client.cursors = body.cursors as Record<string, string>;
    return body;
  }

  async follow(more: Json = {}): Promise<void> {
    this.answers = [];
    for (let round = 0; round < 300; round++) if ((await this.pull(more)).more !== true) return;
    throw new Error('pull: no end');
  }

  /** Folds those that the request has named; the answer has what the others did. */
  #foldOwn(own: Record<string, Json>, have: readonly string[]): void {
    for (const update of this.outbox) {
      if (!have.includes(update.id)) continue;
      for (const realm of Object.keys(own[update.id] ?? {}))
        for (const op of update.ops) if (op.realm === realm) this.#foldOp(op);
    }
    this.outbox = this.outbox.filter(({ id }) => own[id] === undefined);
  }

  #foldOp({ op, table, id, realm, set }: Json): void {
    const key = keyOf(realm, table, id);
    const before = this.held.get(key);
    if (op === 'delete' || op === 'move') this.held.delete(key);
    else if (op === 'create' || before !== undefined)
      this.put(String(realm), String(table), String(id), { ...before?.set, ...(set as Json) });
  }

  /** Rows of the page's range that it does not name are gone; here, each table has one scope. */
  #replace({ table, above, upto, realms, ids }: Page, body: Json): void {
    const came = new Set(
      (body.changes as Json[]).map((change) => keyOf(change.realm, change.table, change.id)),
    );
    for (const [key, row] of [...this.held]) {
      if (row.table !== table || !realms.includes(row.realm)) continue;
      if (row.id <= above || (upto !== null && row.id > upto)) continue;
      if (!ids.includes(row.id) || !came.has(key)) this.held.delete(key);
    }
  }
}
