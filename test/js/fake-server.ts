/**
 * A server of one realm for tests of the package: a log of updates in memory, behind the wire protocol. It reduces
 * nothing and checks nothing but what a test asks for; the real one is tested in test/server.
 */
import type { MemoryNetwork, MemoryRequest, MemoryResponse, ServerSocket } from 'skerry/testing';

interface Op {
  readonly op: string;
  readonly table: string;
  readonly id: string;
  readonly realm: string;
  readonly set?: Record<string, unknown>;
  readonly add?: Record<string, number>;
}
interface Update {
  readonly id: string;
  readonly ops: readonly Op[];
}
interface Entry {
  readonly revision: number;
  readonly at: number;
  readonly update: Update;
}

const realm = 'public';

export class FakeServer {
  readonly log: Entry[] = [];
  readonly pushed: Update[] = [];
  readonly tokens: (string | undefined)[] = [];
  readonly #network: MemoryNetwork;
  readonly #sockets = new Set<ServerSocket>();
  /** Set by tests: an answer instead of the protocol's. */
  instead: ((request: MemoryRequest) => MemoryResponse | Promise<MemoryResponse> | null) | null =
    null;
  /** Set by tests: why an update is rejected, or null. */
  refuse: (update: Update) => string | null = () => null;
  accepts: (token: string | undefined) => boolean = () => true;

  constructor(network: MemoryNetwork) {
    this.#network = network;
    network.respond = (request) => this.#respond(request);
    network.accept = (socket) => {
      this.#sockets.add(socket);
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

  /** Another client's change. */
  write(ops: readonly Omit<Op, 'realm'>[]): void {
    this.#append({ id: `other-${this.head}`, ops: ops.map((op) => ({ ...op, realm })) });
    for (const socket of this.#sockets) {
      socket.send(
        JSON.stringify({ type: 'poke', realm, revision: this.head, tables: [], streams: [] }),
      );
    }
  }

  paths(): string[] {
    return this.#network.requests.map(({ url }) => url.pathname);
  }

  #append(update: Update): Entry {
    const entry = { revision: this.head + 1, at: 1_760_000_000_000 + this.head, update };
    this.log.push(entry);
    return entry;
  }

  async #respond(request: MemoryRequest): Promise<MemoryResponse> {
    const { authorization } = request.headers;
    this.tokens.push(authorization);
    const answer = await this.instead?.(request);
    if (answer) return answer;
    if (!this.accepts(authorization)) return problem(401, 'unauthenticated');
    const body = JSON.parse(new TextDecoder().decode(request.body ?? new Uint8Array(0))) as Record<
      string,
      never
    >;
    if (request.url.pathname.endsWith('/push')) return json(this.#push(body));
    if (request.url.pathname.endsWith('/pull')) return json(this.#pull(body));
    return problem(404, 'not_found');
  }

  #push({ updates }: { updates?: readonly Update[] }): unknown {
    const results = (updates ?? []).map((update) => {
      const known = this.log.find((entry) => entry.update.id === update.id);
      if (known)
        return {
          id: update.id,
          status: 'duplicate',
          revisions: { [realm]: known.revision },
          at: known.at,
        };
      this.pushed.push(update);
      const code = this.refuse(update);
      if (code !== null) {
        const actions = (update as unknown as { actions: { id: string }[] }).actions.map(
          ({ id }) => id,
        );
        return {
          id: update.id,
          status: 'rejected',
          rejected: [{ op: 0, actions, code, detail: 'by the test' }],
        };
      }
      const { revision, at } = this.#append(update);
      return { id: update.id, status: 'applied', revisions: { [realm]: revision }, at, noops: [] };
    });
    return { time: this.#time, results };
  }

  #pull({
    cursors,
    have,
  }: {
    cursors?: Record<string, string>;
    have?: readonly string[];
  }): unknown {
    const from = Number.parseInt(cursors?.[realm] ?? '0', 10);
    const range = this.log.slice(from);
    const own = range.filter(({ update }) => have?.includes(update.id));
    return {
      time: this.#time,
      cursors: { [realm]: `${this.head}@${this.log.at(-1)?.at ?? 0}` },
      more: false,
      own: Object.fromEntries(
        own.map(({ update, revision, at }) => [update.id, { [realm]: { revision, at } }]),
      ),
      revoked: [],
      fills: [],
      changes: range
        .filter((entry) => !own.includes(entry))
        .flatMap((entry) => entry.update.ops.map((op) => change(op, entry))),
      streams: [],
    };
  }

  get #time(): number {
    return this.log.at(-1)?.at ?? 1_760_000_000_000;
  }
}

function change(op: Op, { revision, at }: Entry): unknown {
  const { table, id } = op;
  return { change: op.op, table, id, realm, set: op.set, createdAt: at, modifiedAt: at, revision };
}

function json(body: unknown): MemoryResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

export function problem(status: number, code: string): MemoryResponse {
  const headers = { 'content-type': 'application/problem+json' };
  return { status, headers, body: JSON.stringify({ status, code, title: code }) };
}
