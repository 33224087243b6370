// Pulls. Everything in an answer is read in one snapshot (REPEATABLE READ), so that heads, entries, changes and rows
// are consistent; the authority decides what to read and what to answer. SQL builds lists as JSON text.

import { rawObject, requestProblem, type StepCall } from '../authority/authority.ts';
import { isOfAnother } from '../authority/authority-link.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { PullNeeds } from '../base/wire-types.ts';
import type { Queryable, Within } from '../db/database.ts';
import { answerToken, recordOwners } from '../rights/lost.ts';
import { type Caller, readMemberships } from '../rights/rights.ts';
import { TooMuchToRead } from '../sql/row-bytes.ts';
import type { CheckedPull } from '../wire/pulls.ts';
import { waitingRealms } from './new-realms.ts';
import { Portion, type PullOptions, PullReading } from './reading.ts';
import { readHeads } from './reads.ts';
import { checkSubSelects } from './sub-selects.ts';

export interface PullCall {
  readonly user: Caller;
  readonly request: CheckedPull;
  /** The realms token of the request, which may be anything. */
  readonly realmsToken: unknown;
}

interface LimitedPull extends PullCall {
  readonly within: Within;
}

interface Attempt {
  /** Null: it would have read too much. */
  readonly text: string | null;
  readonly reading: PullReading;
}

const kRounds = 50;
const kAnswer = '{"answer":';

function cursorsGone(): Problem {
  return new Problem(
    'gone',
    'The changes since these cursors cannot be sent: pull everything again.',
  );
}

/** What there is by realm, without these realms. */
function without<Value>(
  all: Readonly<Record<string, Value>>,
  realms: readonly string[],
): Readonly<Record<string, Value>> {
  if (realms.length === 0) return all;
  const left = new Set(realms);
  return Object.fromEntries(Object.entries(all).filter(([realm]) => !left.has(realm)));
}

export class Puller {
  readonly #options: PullOptions;

  constructor(options: PullOptions) {
    this.#options = options;
  }

  /**
   * The text of the answer. If the answer is larger than clients accept, or would need too
   * much to be read, it is computed again with less: over shorter ranges; then without the changes of one entry, or
   * of a whole realm (`refill`); finally without the changes of own updates.
   */
  async pull({ user, request, realmsToken }: PullCall, within: Within = {}): Promise<string> {
    const call = { user, request, realmsToken, within };
    for (let portion: Portion | null = Portion.all; portion !== null; ) {
      const { text, reading } = await this.#again(call, portion);
      if (text !== null && text.length <= limits.answerCharacters) return text;
      portion = reading.less();
      const isRead = text !== null && Buffer.byteLength(text) <= limits.answerBytes;
      // A shorter range does not make a single entry, or a whole realm, smaller.
      if (isRead && portion?.content !== 'all') return text;
    }
    throw new Error('Even the smallest answer to a pull is longer than clients accept.');
  }

  /** A failure that another request caused is tried again. */
  async #again(call: LimitedPull, portion: Portion): Promise<Attempt> {
    try {
      return await this.#attempt(call, portion);
    } catch (error) {
      if (!isOfAnother(error)) throw error;
      return this.#attempt(call, portion);
    }
  }

  async #attempt(call: LimitedPull, portion: Portion): Promise<Attempt> {
    const { database, authority } = this.#options;
    const reading = new PullReading(this.#options, portion, call.within.finish);
    try {
      const { said, owned } = await database.transaction(
        { mode: 'snapshot', ...call.within },
        (tx) => authority.pull((step) => this.#run(tx, step, call, reading), call.within.spent),
      );
      await recordOwners(database, call.user, owned, call.within);
      return { text: said, reading };
    } catch (error) {
      if (error instanceof TooMuchToRead) return { text: null, reading };
      throw requestProblem(error) ?? error;
    }
  }

  async #run(
    tx: Queryable,
    step: StepCall,
    { user, request, realmsToken }: LimitedPull,
    reading: PullReading,
  ): Promise<{ said: string; owned: readonly string[] }> {
    const rights = await readMemberships(tx, user);
    const { lost, owned, token } = await answerToken(
      tx,
      this.#options.tokens,
      user,
      { realmsToken, request },
      rights,
    );
    const all = [...rights.readable.keys()].filter((realm) => !lost.includes(realm));
    // Without a cursor a lost realm is not revoked.
    const cursors = without(request.cursors, lost);
    await checkSubSelects(tx, this.#options.schema, request.scopes, all);
    const heads = await readHeads(tx, all, cursors);
    const waiting = await waitingRealms(tx, heads, request, cursors);
    const realms = JSON.stringify(without(heads.realms, waiting));
    const readable = waiting.length === 0 ? all : Object.keys(without(heads.realms, waiting));
    this.#options.restored?.look(cursors, lost, realms);
    const asked = JSON.stringify({
      ...request,
      // Without a cursor a realm that waits is not revoked.
      cursors: without(cursors, waiting),
      ...(waiting.length > 0 ? { partial: true } : {}),
    });
    let text = rawObject({ now: heads.now, request: asked, realms });
    for (let round = 0; round < kRounds; round++) {
      const answer = await step(text);
      if (answer.startsWith(kAnswer)) {
        const said = answer.slice(kAnswer.length, -1);
        // An answer begins with its time.
        const more = {
          ...(token === null ? {} : { realmsToken: token }),
          ...(lost.length === 0 ? {} : { lost }),
          ...(rights.moreInvitations === 0 ? {} : { moreInvitations: rights.moreInvitations }),
        };
        const begin = rawObject({
          ...Object.fromEntries(
            Object.entries(more).map(([name, value]) => [name, JSON.stringify(value)]),
          ),
          invitations: rights.invitations,
        });
        return { said: `${begin.slice(0, -1)},${said.slice(1)}`, owned };
      }
      const { needs, gone } = JSON.parse(answer) as { needs?: PullNeeds; gone?: boolean };
      if (gone === true) throw cursorsGone();
      if (needs === undefined)
        throw new Error('The authority returned an answer of an unknown form.');
      text = await reading.read(tx, needs, readable);
    }
    throw new Error('The authority did not finish.');
  }
}
