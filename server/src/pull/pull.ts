// A pull: everything that it says is read in one snapshot (REPEATABLE READ), so that heads, entries, changes and rows fit
// together; what to read and what to answer is the authority's. Lists cross as JSON text made by SQL.

import type { User } from '../auth/auth.ts';
import { type Authority, rawObject, requestProblem, type Step } from '../authority/authority.ts';
import type { Database, Queryable, Within } from '../db/database.ts';
import { Problem } from '../http/problem.ts';
import type { ImageOffer } from '../image/folder-store.ts';
import { limits } from '../limits.ts';
import { joinLists } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';
import {
  type Needs,
  readActions,
  readChanges,
  readEntries,
  readHeads,
  readOwn,
  readPage,
  readRange,
  readRowsAfter,
  readState,
} from './reads.ts';

/** Images of realms, as of a snapshot or not long before it. */
export interface ImageSource {
  offer(tx: Queryable, realm: string): Promise<ImageOffer>;
}

export interface PullOptions {
  readonly database: Database;
  readonly authority: Authority;
  readonly schema: SqlSchema;
  readonly images: ImageSource;
}

interface Call {
  readonly user: User;
  readonly request: string;
  readonly have: readonly string[];
  readonly within: Within;
  /** The part of the limits that this attempt may use: one in `share`. */
  readonly share: number;
}

interface Answer {
  readonly text: string;
  /** It holds all of a realm. */
  readonly isWhole: boolean;
}

const kShrink = 16;
const kRounds = 50;
const kAnswer = '{"answer":';

function takeAnew(): Problem {
  return new Problem(
    'gone',
    'The changes since these cursors cannot be told: take everything anew.',
  );
}

export class Puller {
  readonly #options: PullOptions;

  constructor(options: PullOptions) {
    this.#options = options;
  }

  /**
   * The text of the wire's answer. `request` is the request as JSON text, `have` the ids of its `have`. An answer that
   * came out larger than clients read is made again over a shorter range; where that is of no use (a realm of another
   * history, or one that has become readable, comes whole) the client is told to take everything anew, in pages.
   */
  async pull(
    user: User,
    request: string,
    have: readonly string[],
    within: Within = {},
  ): Promise<string> {
    for (let share = 1; ; share *= kShrink) {
      const { text, isWhole } = await this.#attempt({ user, request, have, within, share });
      if (text.length <= limits.answerCharacters) return text;
      // A shorter range makes all of a realm no smaller.
      if (isWhole && Buffer.byteLength(text) <= limits.answerBytes) return text;
      if (isWhole) throw takeAnew();
      if (share > limits.changesPerPull) return text;
    }
  }

  async #attempt(call: Call): Promise<Answer> {
    const { database, authority } = this.#options;
    try {
      return await database.transaction({ mode: 'snapshot', ...call.within }, (tx) =>
        authority.pull((step) => this.#run(tx, step, call), call.within.spent),
      );
    } catch (error) {
      throw requestProblem(error) ?? error;
    }
  }

  async #run(tx: Queryable, step: Step, call: Call): Promise<Answer> {
    let isWhole = false;
    const readable = [...call.user.realms.keys()];
    const { now, realms } = await readHeads(tx, readable);
    let text = rawObject({ now, request: call.request, realms });
    for (let round = 0; round < kRounds; round++) {
      const answer = await step(text);
      if (answer.startsWith(kAnswer)) return { text: answer.slice(kAnswer.length, -1), isWhole };
      const { needs, gone } = JSON.parse(answer) as { needs?: Needs; gone?: boolean };
      if (gone === true) throw takeAnew();
      if (needs === undefined) throw new Error('The authority gave an answer of an unknown form.');
      isWhole ||= needs.state !== undefined && needs.state.length > 0;
      text = await this.#read(tx, needs, readable, call);
    }
    throw new Error('The authority never came to an end.');
  }

  async #read(
    tx: Queryable,
    needs: Needs,
    readable: readonly string[],
    { have, share, within }: Call,
  ): Promise<string> {
    const { finish = (work) => work() } = within;
    const { schema, images } = this.#options;
    const atMost = (count: number) => Math.ceil(count / share);
    // The ranges of all realms in two journeys: how far they go, and what is in them.
    const read = await Promise.all(
      (needs.entries ?? []).map(async (need) => {
        const range = await readRange(tx, need, atMost(limits.changesPerPull));
        const from = needs.changes?.find(({ realm }) => realm === need.realm)?.from;
        return Promise.all([
          readEntries(tx, need, range.upto, have),
          from === undefined ? [] : readChanges(tx, schema, { ...range, realm: need.realm, from }),
        ]);
      }),
    );
    const entries = read.map(([entry]) => entry);
    const changes = read.flatMap(([, change]) => change);
    const own = needs.own?.length ? [await readOwn(tx, needs.own, readable)] : [];
    const actions = needs.actions?.length ? [await readActions(tx, needs.actions, readable)] : [];
    const state: string[] = [];
    for (const need of needs.state ?? []) {
      for (const name of need.tables) state.push(await readState(tx, schema, need.realm, name));
    }
    const pages: string[] = [];
    for (const need of needs.pages ?? []) {
      pages.push(await readPage(tx, schema, need, atMost(limits.pageRows)));
    }
    const offers: ImageOffer[] = [];
    // An image takes as long as the realm is large, and is kept: who asks next would have to begin again.
    for (const { realm } of needs.images ?? []) {
      offers.push(await finish(() => images.offer(tx, realm)));
    }
    return rawObject({
      entries: joinLists(entries),
      changes: joinLists(changes),
      own: joinLists(own),
      actions: joinLists(actions),
      state: joinLists(state),
      pages: joinLists(pages),
      images: JSON.stringify(offers),
      rows: joinLists(await readRowsAfter(tx, schema, needs.rows ?? [])),
    });
  }
}
