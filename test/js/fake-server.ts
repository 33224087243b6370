/**
 * A server of one realm for tests of the package, in memory, behind the wire protocol. It is slow and obvious: it folds every
 * update into plain rows, and answers a pull with the whole of every row that was touched and that a scope holds. It checks
 * nothing but what a test asks for; the real one is tested in test/server.
 */
import type { MemoryNetwork, MemoryRequest, MemoryResponse, ServerSocket } from 'skerry/testing';

interface Op {
  readonly op: string;
  readonly table: string;
  readonly id: string;
  readonly set?: Record<string, unknown>;
  readonly add?: Record<string, number>;
  readonly by?: readonly number[];
}
interface Update {
  readonly id: string;
  readonly actions: readonly { readonly id: string }[];
  readonly ops: readonly Op[];
}
interface Entry {
  readonly revision: number;
  readonly at: number;
  readonly update: Update;
}
export interface ServerRow {
  readonly table: string;
  readonly id: string;
  readonly createdAt: number;
  modifiedAt: number;
  revision: number;
  readonly props: Record<string, unknown>;
}
interface Scope {
  readonly table: string;
  readonly where: readonly unknown[];
  readonly filled: unknown;
}
interface Pull {
  readonly cursors?: Record<string, string>;
  readonly have?: readonly string[];
  readonly scopes?: readonly Scope[];
}

const realm = 'public';
const start = 1_760_000_000_000;

export class FakeServer {
  readonly log: Entry[] = [];
  /** By table and id. */
  readonly rows = new Map<string, ServerRow>();
  /** Actions that were applied, and how often. */
  readonly actions = new Map<string, number>();
  readonly pushed: Update[] = [];
  readonly tokens: (string | undefined)[] = [];
  readonly #paths: string[] = [];
  readonly #answered = new Map<string, { readonly status: string }>();
  readonly #sockets = new Set<ServerSocket>();
  /** Set by tests: an answer instead of the protocol's. */
  instead: ((request: MemoryRequest) => MemoryResponse | Promise<MemoryResponse> | null) | null =
    null;
  /** Set by tests: why an op is rejected, or null. */
  refuse: (op: Op) => string | null = () => null;
  /** Set by tests: answers that are late wait for it. */
  late: () => Promise<void> | null = () => null;
  accepts: (token: string | undefined) => boolean = () => true;

  constructor(...networks: MemoryNetwork[]) {
    for (const network of networks) this.attach(network);
  }

  attach(network: MemoryNetwork): void {
    network.respond = (request) => this.#respond(request);
    network.accept = (socket) => {
      this.#sockets.add(socket);
      socket.onMessage = () => socket.send('{"type":"ready"}');
      socket.onClose = () => this.#sockets.delete(socket);
      return true;
    };
  }

  get head(): number {
    return this.log.length;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  of(table: string): ServerRow[] {
    return [...this.rows.values()].filter((row) => row.table === table);
  }

  /** A change by another client. */
  write(ops: readonly Op[]): void {
    this.#append({ id: `other-${this.head}`, actions: [], ops });
  }

  /** Of all requests. */
  paths(): readonly string[] {
    return this.#paths;
  }

  #append(update: Update): Entry {
    const entry = { revision: this.head + 1, at: start + this.head, update };
    this.log.push(entry);
    for (const { id } of update.actions) this.actions.set(id, (this.actions.get(id) ?? 0) + 1);
    for (const op of update.ops) this.#fold(op, entry);
    const tables = [...new Set(update.ops.map(({ table }) => table))];
    const poke = { type: 'poke', realm, revision: this.head, tables, streams: [] };
    for (const socket of this.#sockets) socket.send(JSON.stringify(poke));
    return entry;
  }

  #fold({ op, table, id, set, add }: Op, { revision, at }: Entry): void {
    const key = `${table}/${id}`;
    const row = this.rows.get(key);
    if (op === 'delete') this.rows.delete(key);
    else if (row) {
      for (const [name, by] of Object.entries(add ?? {}))
        row.props[name] = (row.props[name] as number) + by;
      Object.assign(row.props, set, {});
      Object.assign(row, { modifiedAt: at, revision });
    } else if (op === 'create')
      this.rows.set(key, { table, id, createdAt: at, modifiedAt: at, revision, props: { ...set } });
  }

  async #respond(request: MemoryRequest): Promise<MemoryResponse> {
    const { authorization } = request.headers;
    const { pathname } = request.url;
    this.tokens.push(authorization);
    this.#paths.push(pathname);
    const instead = await this.instead?.(request);
    if (instead) return instead;
    await this.late();
    if (!this.accepts(authorization)) return problem(401, 'unauthenticated');
    const body = JSON.parse(new TextDecoder().decode(request.body ?? new Uint8Array(0)));
    const answer = pathname.endsWith('/push')
      ? this.#push(body)
      : pathname.endsWith('/pull') && this.#pull(body);
    if (!answer) return problem(404, 'not_found');
    await this.late();
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ time: start + this.head, ...answer }),
    };
  }

  #push({ updates }: { updates: readonly Update[] }): object {
    let refused = false;
    const results = updates.map((update) => {
      const { id } = update;
      const known = this.#answered.get(id);
      // What follows a refused update is held, also when both are sent again.
      refused ||= known?.status === 'rejected';
      if (known) return known;
      if (refused) return { id, status: 'held' };
      this.pushed.push(update);
      const rejected = update.ops.flatMap((op, index) => {
        const code = this.refuse(op);
        const actions = (op.by ?? [0]).map((by) => update.actions[by]?.id);
        return code === null ? [] : [{ op: index, actions, code, detail: 'by the test' }];
      });
      refused = rejected.length > 0;
      if (refused) {
        const result = { id, status: 'rejected', rejected };
        this.#answered.set(id, result);
        return result;
      }
      const { revision, at } = this.#append(update);
      const result = { id, status: 'applied', revisions: { [realm]: revision }, at };
      this.#answered.set(id, { ...result, status: 'duplicate' });
      return { ...result, noops: [] };
    });
    return { results };
  }

  #pull({ cursors, have, scopes = [] }: Pull): object {
    const range = this.log.slice(Number.parseInt(cursors?.[realm] ?? '0', 10));
    const touched = new Set(
      range.flatMap(({ update }) => update.ops.map(({ table, id }) => `${table}/${id}`)),
    );
    for (const [key, row] of this.rows)
      if (scopes.some((scope) => scope.filled !== true && holds(scope, row))) touched.add(key);
    const own = range.filter(({ update }) => have?.includes(update.id));
    return {
      cursors: { [realm]: `${this.head}@${this.log.at(-1)?.at ?? 0}` },
      more: false,
      own: Object.fromEntries(
        own.map(({ update, revision, at }) => [update.id, { [realm]: { revision, at } }]),
      ),
      revoked: [],
      fills: [],
      changes: [...touched].map((key) => this.#change(key, scopes)),
      streams: [],
    };
  }

  #change(key: string, scopes: readonly Scope[]): object {
    const [table = '', id = ''] = key.split('/');
    const row = this.rows.get(key);
    const [at, revision] = [start + this.head, this.head];
    if (!row || !scopes.some((scope) => holds(scope, row)))
      return { change: 'delete', table, id, realm, createdAt: at, modifiedAt: at, revision };
    const { createdAt, modifiedAt, props: set } = row;
    return { change: 'create', table, id, realm, set, createdAt, modifiedAt, revision };
  }
}

/** Scopes of these tests are whole tables, and the rows with one value. */
export function holds(
  { table, where: [op, prop, value] }: Pick<Scope, 'table' | 'where'>,
  row: ServerRow,
): boolean {
  return row.table === table && (op === 'true' || row.props[prop as string] === value);
}

export function problem(status: number, code: string): MemoryResponse {
  const headers = { 'content-type': 'application/problem+json' };
  return { status, headers, body: JSON.stringify({ status, code, title: code }) };
}
