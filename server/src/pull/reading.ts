// What one attempt at a pull reads: no more than its portion, so that neither SQL nor this process holds texts of
// unlimited length. The authority is given what was left out (`omitted`, pages that are null), and answers without it.

import { type Authority, rawObject } from '../authority/authority.ts';
import { limits } from '../base/limits.ts';
import type { PullNeeds } from '../base/wire-types.ts';
import type { Database, Queryable, Within } from '../db/database.ts';
import type { ImageOffer } from '../image/folder-store.ts';
import type { RealmsTokens } from '../rights/realms-token.ts';
import { kMembers } from '../sql/members.ts';
import { TooMuchToRead } from '../sql/row-bytes.ts';
import { joinLists } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';
import { readStreamPart } from '../stream/part.ts';
import { readCandidates, readSelected, readToHead, type ToHeadNeed } from './join-reads.ts';
import { readPage } from './pages.ts';
import { type Range, type RangeNeed, readRanges } from './ranges.ts';
import {
  readActions,
  readChanges,
  readEntries,
  readOwn,
  readRowsAfter,
  readSizes,
  readState,
} from './reads.ts';
import type { RestoreNotice } from './restored.ts';

/** Images of realms, of a snapshot or slightly older. */
export interface ImageSource {
  offer(tx: Queryable, realm: string, least: number): Promise<ImageOffer>;
}

export interface PullOptions {
  readonly database: Database;
  readonly authority: Authority;
  readonly schema: SqlSchema;
  readonly images: ImageSource;
  readonly tokens: RealmsTokens;
  readonly restored?: RestoreNotice | undefined;
  /** A snapshot of a stream is offered if it replaces at least so many actions. */
  readonly snapshotSaves: number;
}

/**
 * `entries`: the changes of the next entry of each realm are left out, and whole realms. `own`: own updates are only
 * named.
 */
type Content = 'all' | 'entries' | 'own';

/** How much an attempt reads: the limits divided by `share`. */
export class Portion {
  static readonly all = new Portion('all', 1);
  readonly content: Content;
  readonly share: number;

  constructor(content: Content, share: number) {
    this.content = content;
    this.share = share;
  }

  of(limit: number): number {
    return Math.ceil(limit / this.share);
  }

  less(canShrink: boolean): Portion | null {
    if (this.content === 'all') {
      const share = this.share * kShrink;
      return canShrink && share <= limits.readBytes
        ? new Portion('all', share)
        : new Portion('entries', 1);
    }
    return this.content === 'entries' ? new Portion('own', 1) : null;
  }
}

/** Rights depend on them, and no page brings them. */
const isAlwaysRead = (table: string) => table === kMembers;

function withTables(range: Range, fits: (table: string) => boolean): Range {
  return { ...range, tables: range.tables.filter(fits) };
}

const kShrink = 16;
/** A revision above all others. */
const kToTheEnd = '9000000000000000';

export class PullReading {
  readonly #options: PullOptions;
  readonly #portion: Portion;
  /**
   * An image takes time in proportion to its realm, and is kept: without this, the next client would have to start
   * again.
   */
  readonly #finish: NonNullable<Within['finish']>;
  /** The bytes that ranges have taken in this round. */
  #rangeBytes = 0;
  /** The bytes of realms that come whole. */
  #stateBytes = 0;
  /** A smaller portion would have read less. */
  #canShrink = false;
  /** The ranges that this round reads. */
  #ranges: readonly Range[] = [];
  readonly #omitted: (
    | { realm: string; tables: readonly string[] | null }
    | { realm: string; joins: true }
  )[] = [];

  constructor(options: PullOptions, portion: Portion, finish: Within['finish'] = (work) => work()) {
    this.#options = options;
    this.#portion = portion;
    this.#finish = finish;
  }

  /** The portion of the next attempt, if this one was too large. */
  less(): Portion | null {
    return this.#portion.less(this.#canShrink);
  }

  /** What the authority needs in one round, as the text of its next step. */
  async read(tx: Queryable, needs: PullNeeds, readable: readonly string[]): Promise<string> {
    this.#omitted.length = 0;
    const log = await this.#log(tx, needs);
    const own = needs.own.length > 0 ? await this.#own(tx, needs.own, readable, needs) : '';
    const actions = needs.actions.length > 0 ? await readActions(tx, needs.actions, readable) : '';
    const state = await this.#state(tx, needs);
    const pages = await this.#pages(tx, needs);
    const offers: ImageOffer[] = [];
    for (const { realm, least } of needs.images) {
      offers.push(await this.#finish(() => this.#options.images.offer(tx, realm, least)));
    }
    return rawObject({
      entries: joinLists(log.entries),
      changes: joinLists(log.changes),
      own: joinLists([own]),
      actions: joinLists([actions]),
      state: joinLists(state),
      pages: `[${pages.join(',')}]`,
      images: JSON.stringify(offers),
      rows: joinLists(await readRowsAfter(tx, this.#options.schema, needs.rows)),
      ...(await this.#joins(tx, needs)),
      streams: `[${(await this.#streams(tx, needs)).join(',')}]`,
      omitted: JSON.stringify(this.#omitted),
    });
  }

  #leaveOut(realm: string, tables: readonly string[]): void {
    // The authority is given memberships in any case.
    this.#omitted.push({ realm, tables: this.#portion.content === 'own' ? null : tables });
  }

  /** Reads the ranges of all realms in two round trips: how far they go, and their contents. */
  async #log(tx: Queryable, needs: PullNeeds): Promise<{ entries: string[]; changes: string[] }> {
    const all = needs.entries;
    const changesOf = new Map(needs.changes.map(({ realm, tables }) => [realm, tables]));
    const isEachCounted = needs.own.length > 0;
    const asked: RangeNeed[] = [];
    for (const need of all) {
      const tables = changesOf.get(need.realm);
      if (tables !== undefined) asked.push({ ...need, tables, isEachCounted });
    }
    const { ranges, bytes } = await readRanges(tx, asked, {
      entries: limits.entriesLooked,
      changes: this.#portion.of(limits.changesPerPull),
      bytes: this.#portion.of(limits.readBytes),
      isOmitted: this.#portion.content !== 'all',
    });
    this.#ranges = ranges;
    this.#rangeBytes = bytes;
    // Without the ops of own updates no changes of a realm can be answered.
    if (this.#portion.content === 'own') for (const { realm } of all) this.#leaveOut(realm, []);
    for (const range of ranges) {
      if (range.isOmitted && range.entries > 0) this.#leaveOut(range.realm, range.tables);
      else if (range.entries > 1) this.#canShrink = true;
    }
    const rest = all.filter(({ realm }) => !changesOf.has(realm));
    const entries = await readEntries(tx, [
      ...ranges.map(({ realm, from, upto }) => ({ realm, from, upto, client: null })),
      // Own updates of a realm that comes whole.
      ...rest.map(({ realm, from, limit, client }) => ({
        realm,
        from,
        upto: String(from + limit),
        client,
      })),
    ]);
    const sent = ranges
      .filter(({ entries }) => entries > 0)
      .map((range) => (range.isOmitted ? withTables(range, isAlwaysRead) : range));
    const changes = await readChanges(tx, this.#options.schema, sent);
    return { entries: [entries], changes: [...changes, await this.#toHead(tx, needs)] };
  }

  /** What a sub-select needs beyond ranges that end before the head. */
  async #toHead(tx: Queryable, needs: PullNeeds): Promise<string> {
    const asked: ToHeadNeed[] = [];
    const ranges = new Map(this.#ranges.map((range) => [range.realm, range]));
    for (const { realm, toHead } of needs.changes) {
      const range = ranges.get(realm);
      if (range === undefined || range.isHead || range.entries === 0 || toHead.length === 0)
        continue;
      asked.push({ realm, upto: range.upto, tables: toHead });
    }
    if (asked.length === 0) return '';
    const text = await readToHead(tx, asked, limits.joinRows);
    if (text === null) {
      for (const { realm } of asked) this.#omitted.push({ realm, joins: true });
    }
    return text ?? '';
  }

  /** What sub-selects need of rows that did not change themselves. */
  async #joins(tx: Queryable, needs: PullNeeds): Promise<{ candidates: string; selected: string }> {
    const { schema } = this.#options;
    const { joinRows: rows, entryBytes: bytes, unindexedRows: looks } = limits;
    const candidates = await readCandidates(tx, schema, needs.candidates, {
      ...{ rows, bytes, looks },
    });
    const selected = await readSelected(tx, schema, needs.selected);
    return { candidates: `[${candidates.join(',')}]`, selected: `[${selected.join(',')}]` };
  }

  #own(
    tx: Queryable,
    own: readonly string[],
    readable: readonly string[],
    needs: PullNeeds,
  ): Promise<string> {
    if (this.#portion.content === 'own') return readOwn(tx, own, readable, null);
    const ranges = new Set(needs.changes.map(({ realm }) => realm));
    const whole = needs.entries.filter(({ realm }) => !ranges.has(realm));
    return readOwn(tx, own, readable, [
      ...this.#ranges.map(({ realm, from, upto }) => ({ realm, from, upto })),
      ...whole.map(({ realm }) => ({ realm, from: 0, upto: kToTheEnd })),
    ]);
  }

  /** All rows of the realms that come whole: as many statements as tables, however many realms there are. */
  async #state(tx: Queryable, needs: PullNeeds): Promise<string[]> {
    const { schema } = this.#options;
    const asked = needs.state;
    const read: string[] = [];
    const sizes = new Map<string, Map<string, number>>();
    for (const name of new Set(asked.flatMap(({ tables }) => tables))) {
      const realms = asked.filter(({ tables }) => tables.includes(name));
      const names = realms.map(({ realm }) => realm);
      sizes.set(name, await readSizes(tx, schema, names, name));
    }
    const sizeOf = (realm: string, tables: readonly string[]) =>
      tables.reduce((sum, name) => sum + (sizes.get(name)?.get(realm) ?? 0), 0);
    const taken = new Map<string, string[]>();
    for (const { realm, tables } of asked) {
      const always = tables.filter(isAlwaysRead);
      const members = sizeOf(realm, always);
      if (members > limits.entryBytes) throw new TooMuchToRead('The realm has too many members.');
      this.#stateBytes += members;
      const others = tables.filter((name) => !isAlwaysRead(name));
      const bytes = sizeOf(realm, others);
      const fits =
        this.#portion.content === 'all' && this.#stateBytes + bytes <= limits.answerBytes;
      if (fits) this.#stateBytes += bytes;
      else if (others.length > 0) this.#leaveOut(realm, others);
      for (const name of fits ? tables : always) {
        // What is empty needs no look.
        if (sizeOf(realm, [name]) === 0) continue;
        const list = taken.get(name);
        if (list === undefined) taken.set(name, [realm]);
        else list.push(realm);
      }
    }
    for (const [name, realms] of taken) read.push(await readState(tx, schema, realms, name));
    return read;
  }

  /** Streams; one is not read if there is no room for it. */
  async #streams(tx: Queryable, needs: PullNeeds): Promise<string[]> {
    let left = this.#portion.content === 'all' ? this.#portion.of(limits.streamBytes) : 0;
    let statesLeft = limits.stateBytes;
    const parts: string[] = [];
    for (const need of needs.streams) {
      if (left <= 0 || statesLeft <= 0) {
        parts.push('null');
        continue;
      }
      const saves = this.#options.snapshotSaves;
      const read = await readStreamPart(tx, need, { bytes: left, saves });
      parts.push(read.text);
      left -= read.bytes;
      statesLeft -= read.stateBytes;
      if (read.entries > 1) this.#canShrink = true;
    }
    return parts;
  }

  /** Pages are added to an answer that reaches every head; a page is not read if there is no room, or no time, for it. */
  async #pages(tx: Queryable, needs: PullNeeds): Promise<string[]> {
    const asked = needs.pages;
    const isAtHead = this.#ranges.every(({ isHead, isOmitted }) => isHead && !isOmitted);
    if (!isAtHead || this.#omitted.length > 0) return asked.map(() => 'null');
    const rows = this.#portion.of(limits.pageRows);
    const read = this.#rangeBytes + this.#stateBytes;
    let left = Math.max(1, this.#portion.of(limits.readBytes) - read);
    const pages: string[] = [];
    const began = performance.now();
    const goesOn = () => performance.now() - began < limits.pagesMs;
    for (const [i, need] of asked.entries()) {
      if (left <= 0 || (i > 0 && !goesOn())) {
        pages.push('null');
        continue;
      }
      const page = await readPage(tx, this.#options.schema, need, { rows, bytes: left, goesOn });
      pages.push(page.text);
      left -= page.bytes;
      if (page.rows > 1) this.#canShrink = true;
    }
    return pages;
  }
}
