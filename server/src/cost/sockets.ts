// Places for sockets of /v1/poke: of each address, of each user and in all. One that has not said hello may wait five
// seconds for it, but not at the cost of others: where too many are silent, the one that has been for longest goes.

import { limits } from '../base/limits.ts';
import { Counts } from './counts.ts';

export interface SocketLimits {
  readonly sockets: number;
  readonly socketsPerUser: number;
  readonly socketsPerAddress: number;
}

/** A socket that has not said hello. */
interface Silent {
  readonly address: string;
  readonly end: () => void;
}

export class SocketPlaces {
  readonly #limits: SocketLimits;
  readonly #ofAddress = new Counts();
  readonly #ofUser = new Counts();
  /** By address, the longest silent first. */
  readonly #silent = new Map<string, Set<Silent>>();
  #inAll = 0;

  constructor(limits: SocketLimits) {
    this.#limits = limits;
  }

  /** Whether there is a place for one more of this address, which is then taken. */
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

  /** A socket is silent until what is returned is called; `end` closes it. */
  silent(address: string, end: () => void): () => void {
    const silent: Silent = { address, end };
    const all = this.#silent.get(address) ?? new Set<Silent>();
    this.#silent.set(address, all);
    all.add(silent);
    const [first] = all;
    if (all.size > limits.silentSocketsPerAddress && first !== undefined) this.#end(first);
    return () => this.#spoke(silent);
  }

  /** Whether this user may have one socket more, which is then counted. */
  greet(user: string): boolean {
    if (this.#ofUser.of(user) >= this.#limits.socketsPerUser) return false;
    this.#ofUser.add(user);
    return true;
  }

  part(user: string): void {
    this.#ofUser.remove(user);
  }

  /** Ends a silent socket of the address that has most of them; false where all have spoken. */
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
