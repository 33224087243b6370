// The sockets of /v1/poke. The first message, within five seconds, is `hello` with a token, a client identity and
// scopes; the answer is `{"type":"ready"}`, and pokes follow. A later `hello` replaces the first one (a fresh token,
// other scopes). A `ping` is answered by a `pong`: a page sees no pings of the WebSocket protocol. Close codes: 4400 malformed, 4401 unauthenticated or expired, 4408 no hello in time, 4413 reads too
// slowly, 4429 too many messages or sockets, 1001 the server is shutting down, 1013 the database is unavailable:
// connect again later.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Authenticate } from '../auth/auth.ts';
import type { HostRule } from '../auth/loopback.ts';
import type { User } from '../auth/user.ts';
import { type Authority, AuthorityError } from '../authority/authority.ts';
import { AuthorityGone } from '../authority/authority-link.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { addressOf } from '../cost/address.ts';
import type { Callers } from '../cost/callers.ts';
import { Rates } from '../cost/rates.ts';
import { type SocketLimits, SocketPlaces } from '../cost/sockets.ts';
import { isUnavailable } from '../db/database.ts';
import type { Grants } from '../rights/grants.ts';
import { originAllowed, refuseUpgrade } from '../wire/origins.ts';
import { scopesOf, wantedStreams } from '../wire/pulls.ts';
import type { AudienceMember } from './audience.ts';
import type { Audiences } from './audiences.ts';
import { type Listener, newsOfRights } from './hub.ts';
import { isPing, kPong, kReady, parseHello, Refused } from './messages.ts';
import { pokeFrame } from './outbox.ts';

export interface PokeSocketOptions {
  readonly authenticate: Authenticate;
  readonly grants: Grants;
  readonly authority: Authority;
  readonly audiences: Pick<Audiences, 'join' | 'leave'>;
  /** Origins besides the server's own whose pages may connect. */
  readonly origins: ReadonlySet<string>;
  readonly hosts: HostRule;
  readonly callers: Callers;
  readonly limits: SocketLimits;
  /** Whether `x-forwarded-for` gives the address of a socket. */
  readonly trustProxy: boolean;
  readonly log: (message: string, error: unknown) => void;
}

const kPath = '/v1/poke';
const kLongestTimerMs = 2 ** 31 - 1;

/** One connection: anonymous until its hello, then a listener of the hub. */
class Connection {
  readonly #socket: WebSocket;
  readonly #options: PokeSocketOptions;
  readonly #places: SocketPlaces;
  readonly #address: string;
  readonly #messages = new Rates(
    { perSecond: limits.hellosPerSecond, burst: limits.hellosAtOnce },
    1,
  );
  /** Marks the socket as no longer silent. */
  readonly #spoke: () => void;
  #listener: AudienceMember | null = null;
  /** The user of the last hello, who is a caller of the listener. */
  #user: User | null = null;
  #isRegrantDue = false;
  #deadline: NodeJS.Timeout | null;
  #greeting: Promise<void> = Promise.resolve();
  #waiting = 0;
  readonly #closed = new AbortController();
  alive = true;

  constructor(
    socket: WebSocket,
    options: PokeSocketOptions,
    { places, address }: { readonly places: SocketPlaces; readonly address: string },
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#places = places;
    this.#address = address;
    this.#spoke = places.silent(address, () => {
      socket.close(4408, 'no hello, and others wait');
      socket.terminate();
    });
    this.#deadline = setTimeout(() => socket.close(4408, 'no hello'), limits.helloWithinMs);
    // By default `ws` passes one buffer per message.
    socket.on('message', (data, binary) => this.#message(data as Buffer, binary));
    socket.on('pong', () => {
      this.alive = true;
    });
    socket.on('close', () => {
      this.#closed.abort();
      this.#spoke();
      this.#leave();
    });
    // The close event that follows an error is enough.
    socket.on('error', () => socket.terminate());
  }

  #message(data: Buffer, binary: boolean): void {
    // At once: a hello that waits for the application's rights says nothing about the connection.
    if (this.#listener && isPing(data, binary)) {
      this.#pong();
      return;
    }
    if (++this.#waiting > 4) {
      this.#socket.close(4400, 'too many messages');
      return;
    }
    this.#greeting = this.#greeting
      .then(() => this.#hello(data, binary))
      .catch((error: unknown) => this.#refuse(error))
      .finally(() => {
        this.#waiting--;
      });
  }

  async #hello(data: Buffer, binary: boolean): Promise<void> {
    const began = performance.now();
    const { token, client, scopes, streams, schema } = parseHello(data, binary);
    const parsedMs = performance.now() - began;
    this.#count();
    const user = await this.#options.authenticate(token, this.#address);
    this.#options.callers.request(user.id);
    const { callers, authority } = this.#options;
    callers.shares.charge(user.id, parsedMs);
    // The hello came in time. The deadline of an earlier token stays until the new one has replaced it.
    if (!this.#listener) this.#setDeadline(null);
    const checked = await callers.parsing(user.id, data.length, this.#closed.signal, (spent) =>
      authority.checkScopes(scopesOf(scopes), schema, spent),
    );
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const hasPlace = this.#listener?.user.id === user.id;
    if (!hasPlace && !this.#places.greet(user.id)) {
      throw new Refused(4429, 'too many sockets of this user');
    }
    const wanted = {
      client,
      tables: new Set(checked.flatMap(({ tables }) => tables)),
      wantsStream: wantedStreams(streams),
      send: (frame: string) => this.#send(frame),
    };
    let listener: AudienceMember;
    try {
      listener = await this.#join(wanted, user);
    } catch (error) {
      if (!hasPlace) this.#places.part(user.id);
      throw error;
    }
    // Not earlier, so that no poke is lost between the two.
    this.#user = user;
    this.#replace(listener);
    this.#setDeadline(null);
    if (this.#socket.readyState !== this.#socket.OPEN) {
      this.#leave();
      return;
    }
    this.#spoke();
    this.#expireWith(user);
    this.#send(kReady);
  }

  #pong(): void {
    try {
      this.#count();
      this.#send(kPong);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Refuses a message beyond the rate of hellos and pings. */
  #count(): void {
    if (this.#messages.take('', 1) > 0) throw new Refused(4429, 'too many messages');
  }

  /** Joins those who have the grants that the user has now. */
  async #join({ client, tables, wantsStream, send }: Listener, by: User): Promise<AudienceMember> {
    const { audiences, grants } = this.#options;
    for (;;) {
      const user = await grants.caller(by);
      const member: AudienceMember = {
        ...{ client, tables, wantsStream, send, user },
        isGranted: async () => (await grants.caller(by)) === user,
        regrant: () => this.#regrantSoon(),
        fail: (error) => this.#refuse(error),
      };
      await audiences.join(member);
      try {
        // They may have changed before it had joined.
        if (await member.isGranted()) return member;
      } catch (error) {
        audiences.leave(member);
        throw error;
      }
      audiences.leave(member);
    }
  }

  /** After the greeting that is under way. */
  #regrantSoon(): void {
    if (this.#isRegrantDue) return;
    this.#isRegrantDue = true;
    this.#greeting = this.#greeting
      .then(() => this.#regrant())
      .catch((error: unknown) => this.#refuse(error));
  }

  async #regrant(): Promise<void> {
    this.#isRegrantDue = false;
    const [before, user] = [this.#listener, this.#user];
    if (before === null || user === null || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#replace(await this.#join(before, user));
    if (this.#socket.readyState !== this.#socket.OPEN) return this.#leave();
    this.#send(pokeFrame(newsOfRights(user.id)));
  }

  #expireWith(user: User): void {
    const { expires } = user;
    if (expires === null) return;
    const wait = expires * 1000 - Date.now();
    // No timer takes longer: then it is set again.
    const next = () => (wait > kLongestTimerMs ? this.#expireWith(user) : end());
    const end = () => this.#socket.close(4401, 'expired');
    this.#setDeadline(setTimeout(next, Math.min(kLongestTimerMs, Math.max(0, wait))));
  }

  #setDeadline(timer: NodeJS.Timeout | null): void {
    if (this.#deadline) clearTimeout(this.#deadline);
    this.#deadline = timer;
  }

  #refuse(error: unknown): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (error instanceof Refused) this.#socket.close(error.closeCode, error.message);
    else if (error instanceof Problem) {
      this.#socket.close(closeCodeOf(error), error.code);
    } else if (error instanceof AuthorityError) this.#socket.close(4400, error.code);
    else if (isUnavailable(error) || error instanceof AuthorityGone)
      this.#socket.close(1013, 'busy');
    else {
      this.#options.log('A hello failed.', error);
      this.#socket.close(1011, 'internal');
    }
  }

  #send(frame: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > limits.socketBufferedBytes) {
      this.#socket.close(4413, 'too slow');
      this.#socket.terminate();
      return;
    }
    this.#socket.send(frame);
  }

  #leave(): void {
    this.#setDeadline(null);
    this.#replace(null);
  }

  /** Replaces the listener of this connection. */
  #replace(listener: AudienceMember | null): void {
    const before = this.#listener;
    this.#listener = listener;
    if (before) this.#options.audiences.leave(before);
    if (before && before.user.id !== listener?.user.id) this.#places.part(before.user.id);
  }

  /** Ends a connection that did not answer the last ping, and pings the others. */
  check(): void {
    if (this.alive) this.#socket.ping();
    else this.#socket.terminate();
    this.alive = false;
    if (this.#options.grants.areTimed) void this.#checkGrants();
  }

  /** Rights that change by themselves are read again now and then. */
  async #checkGrants(): Promise<void> {
    const [listener, user] = [this.#listener, this.#user];
    if (listener === null || user === null) return;
    try {
      if ((await this.#options.grants.caller(user)) !== listener.user) this.#regrantSoon();
    } catch (error) {
      this.#refuse(error);
    }
  }
}

function closeCodeOf({ code }: Problem): number {
  if (code === 'rate_limited') return 4429;
  if (code === 'busy' || code === 'rights_unavailable') return 1013;
  return code === 'unauthenticated' ? 4401 : 4400;
}

export interface PokeSockets {
  /** Takes the upgrade of a socket of pokes; returns false for other paths. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  close(): void;
}

export function servePokes(options: PokeSocketOptions): PokeSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.socketMessageBytes,
  });
  const places = new SocketPlaces(options.limits);
  const connections = new Map<WebSocket, Connection>();
  let isClosed = false;
  const open = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const { origin, host } = request.headers;
    if (!options.hosts(host) || !originAllowed(origin, host, options.origins))
      return refuseUpgrade(socket, '403 Forbidden');
    const forwarded = request.headers['x-forwarded-for'];
    const address = addressOf(request.socket.remoteAddress, forwarded, options.trustProxy);
    if (isClosed || !places.enter(address)) return refuseUpgrade(socket, '503 Service Unavailable');
    // From here on the place belongs to the socket, whether or not the upgrade succeeds.
    socket.once('close', () => places.leave(address));
    sockets.handleUpgrade(request, socket, head, (opened) => {
      connections.set(opened, new Connection(opened, options, { places, address }));
      opened.on('close', () => connections.delete(opened));
    });
  };
  const pings = setInterval(() => {
    for (const connection of connections.values()) connection.check();
  }, limits.socketPingEveryMs);
  pings.unref();
  return {
    upgrade(request, socket, head) {
      if ((request.url ?? '').split('?', 1)[0] !== kPath) return false;
      open(request, socket, head);
      return true;
    },
    close() {
      isClosed = true;
      clearInterval(pings);
      for (const socket of connections.keys()) socket.close(1001, 'stopping');
      sockets.close();
    },
  };
}
