// Limits the sockets of /v1/poke per address, per user and in total. A socket has five seconds for its hello, but not
// at the expense of others: if too many are silent, the one that has been silent for longest is closed.

import { Counts } from '../base/counts.ts';
import { limits } from '../base/limits.ts';

export interface SocketLimits {
  readonly sockets: number;
  readonly socketsPerUser: number;
  readonly socketsPerAddress: number;
}

/** A socket that has not sent its hello. */
interface Silent {
  readonly address: string;
  readonly end: () => void;
}

export class SocketPlaces {
  readonly #limits: SocketLimits;
  readonly #ofAddress = new Counts();
  readonly #ofUser = new Counts();
  /** By address, the longest silent one first. */
  readonly #silent = new Map<string, Set<Silent>>();
  #inAll = 0;

  constructor(limits: SocketLimits) {
    this.#limits = limits;
  }

  /** Takes a place for one more socket of this address; false if there is none. */
  enter(address: string): boolean {
    const { sockets, socketsPerAddress } = this.#limits;
    if (this.#ofAddress.of(address) >= socketsPerAddress) return false;
    if (this.#inAll >= sockets && !this.#endSilent()) return false;
    this.#inAll++;
    this.#ofAddress.add(address);
    return true;
  }

  leave(address: string): void {
    this.#inAll--;
    this.#ofAddress.remove(address);
  }

  /** Counts a socket as silent until the returned function is called; `end` closes it. */
  silent(address: string, end: () => void): () => void {
    const silent: Silent = { address, end };
    const all = this.#silent.get(address) ?? new Set<Silent>();
    this.#silent.set(address, all);
    all.add(silent);
    const [first] = all;
    if (all.size > limits.silentSocketsPerAddress && first !== undefined) this.#end(first);
    return () => this.#spoke(silent);
  }

  /** Counts one more socket of this user; false if the user has too many. */
  greet(user: string): boolean {
    if (this.#ofUser.of(user) >= this.#limits.socketsPerUser) return false;
    this.#ofUser.add(user);
    return true;
  }

  part(user: string): void {
    this.#ofUser.remove(user);
  }

  /** Closes a silent socket of the address that has most of them; false if none is silent. */
  #endSilent(): boolean {
    let most: ReadonlySet<Silent> | undefined;
    for (const all of this.#silent.values()) if (all.size > (most?.size ?? 0)) most = all;
    const [first] = most ?? [];
    if (first !== undefined) this.#end(first);
    return first !== undefined;
  }

  #end(silent: Silent): void {
    this.#spoke(silent);
    silent.end();
  }

  #spoke(silent: Silent): void {
    const all = this.#silent.get(silent.address);
    all?.delete(silent);
    if (all?.size === 0) this.#silent.delete(silent.address);
  }
}
