// Images of whole realms. The authority makes them from the rows of one snapshot. They are kept in a store
// (folder-store.ts, shared-store.ts), and offered to clients that hold nothing of the realm yet. An image that is
// slightly behind its realm is as good as a new one: the client pulls the rest.

import { createHash, randomUUID } from 'node:crypto';
import type { Authority } from '../authority/authority.ts';
import { limits } from '../base/limits.ts';
import { LruMap } from '../base/lru-map.ts';
import type { Queryable } from '../db/database.ts';
import { cutRows } from '../sql/row-bytes.ts';
import { rowJson } from '../sql/rows.ts';
import type { SqlSchema, SqlTable } from '../sql/tables.ts';
import {
  type ImageFile,
  type ImageName,
  type ImageOffer,
  type ImageStore,
  imageUrl,
  type StoredImage,
} from './folder-store.ts';

const kRowsPerChunk = 8_000;
/** If an image is more entries behind its realm, a new one is made on request. */
const kEntriesBehind = 1_000;
/** For how many realms the last image found or made is remembered beyond a snapshot. */
const kRemembered = 100;

interface ImageHead {
  epoch: string;
  head: string;
  at: string;
}

/** Identifies the schema of an image. */
export function schemaHash(authority: Authority): string {
  return createHash('sha256').update(authority.schemaText).digest('hex');
}

export class Images {
  readonly #store: ImageStore;
  readonly #authority: Authority;
  readonly #schema: SqlSchema;
  /** Images that are being looked up or made, by realm and epoch. */
  readonly #making = new Map<string, Promise<StoredImage>>();
  /** The results, the oldest first. */
  readonly #made = new LruMap<StoredImage>(kRemembered);

  constructor(store: ImageStore, authority: Authority, schema: SqlSchema) {
    this.#store = store;
    this.#authority = authority;
    this.#schema = schema;
  }

  /**
   * Offers an image of a realm: the newest stored one if it is recent enough, and not of a revision below `least`; else a
   * new one of this snapshot.
   */
  async offer(tx: Queryable, realm: string, least = 0): Promise<ImageOffer> {
    const [head] = await tx.query<ImageHead>(
      `select epoch, head::text as head, at::text as at from skerry.realm where realm = $1::text`,
      [realm],
    );
    if (head === undefined) throw new Error('An image of a missing realm was requested.');
    // Clients that come at the same time (after an outage, for example) share one image, which is held in memory
    // while it is made. The look-up of a stored image holds the place, too: otherwise an image that was stored since
    // would be made again.
    const key = JSON.stringify([realm, head.epoch]);
    for (let other = this.#making.get(key); other !== undefined; other = this.#making.get(key)) {
      const found = await other.catch(() => null); // Its own caller gets the reason of a failure.
      if (found !== null && (await this.#fits(tx, found, head, least))) return publicPart(found);
    }
    const making = this.#findOrMake(tx, realm, { head, least }, this.#made.get(key) ?? null);
    this.#making.set(key, making);
    try {
      const found = await making;
      this.#made.use(key, found);
      return publicPart(found);
    } finally {
      this.#making.delete(key);
    }
  }

  /** The file of an image, or null. The caller has checked that the user may read the realm. */
  find(name: ImageName): Promise<ImageFile | null> {
    return this.#store.find(name);
  }

  /** Whether an image is recent enough for a client that needs the head. */
  async #fits(
    tx: Queryable,
    kept: StoredImage,
    { head }: ImageHead,
    least: number,
  ): Promise<boolean> {
    const behind = Number(head) - kept.revision;
    if (behind < 0 || behind > kEntriesBehind || kept.revision < least) return false;
    // An image of another history under the same epoch (of a database restored from a backup) cannot be used.
    // Nor can one whose later entries are forgotten: its client would have to begin anew.
    const [entry] = await tx.query<{ at: string }>(
      `select l.at::text as at from skerry.log l join skerry.realm r using (realm)
        where l.realm = $1::text and l.revision = $2::text::bigint and l.revision >= r.floor`,
      [kept.realm, String(kept.revision)],
    );
    return entry !== undefined && Number(entry.at) === kept.at;
  }

  /**
   * `made` is the last image of this node, perhaps newer than the snapshot of `tx`, in which the store does not find
   * it yet.
   */
  async #findOrMake(
    tx: Queryable,
    realm: string,
    { head, least }: { readonly head: ImageHead; readonly least: number },
    made: StoredImage | null,
  ): Promise<StoredImage> {
    const newest = await this.#store.newest(tx, realm, head.epoch);
    if (newest !== null && (await this.#fits(tx, newest, head, least))) return newest;
    // The store may have deleted it since: a client could not fetch it, and would be offered it again.
    const isThere = made !== null && (await this.#store.has(made));
    if (isThere && (await this.#fits(tx, made, head, least))) return made;
    return this.#make(tx, realm, head);
  }

  async #make(tx: Queryable, realm: string, { epoch, head, at }: ImageHead): Promise<StoredImage> {
    const revision = Number(head);
    const image = await this.#authority.image(
      realm,
      revision,
      Number(at),
      rowChunks(tx, this.#schema, realm),
    );
    const kept: StoredImage = {
      realm,
      revision,
      at: Number(at),
      epoch,
      hash: image.hash,
      bytes: image.bytes.byteLength,
      url: imageUrl({ realm, epoch, revision, hash: image.hash }),
      schema: schemaHash(this.#authority),
      file: `${randomUUID()}.image`,
    };
    await this.#store.keep(kept, image.bytes);
    return kept;
  }
}

function publicPart({ realm, revision, at, epoch, hash, bytes, url }: StoredImage): ImageOffer {
  return { realm, revision, at, epoch, hash, bytes, url };
}

async function* rowChunks(
  tx: Queryable,
  schema: SqlSchema,
  realm: string,
): AsyncGenerator<string, void, void> {
  for (const table of schema.values()) yield* tableChunks(tx, table, realm);
}

async function* tableChunks(
  tx: Queryable,
  table: SqlTable,
  realm: string,
): AsyncGenerator<string, void, void> {
  let above = '';
  for (;;) {
    const [chunk] = await tx.query<{ rows: string | null; last: string | null }>(
      `select string_agg((${rowJson(table, 'p')})::text, ',' order by p.id) as rows, max(p.id) as last
         from (${cutRows(
           table,
           `(select t.* from ${table.name} t
              where t.realm = $1::text and t.deleted_at is null and t.id > $2::text collate "C"
              order by t.id limit ${kRowsPerChunk})`,
           kRowsPerChunk,
           String(limits.readBytes),
         )}) p`,
      [realm, above],
    );
    if (chunk?.last == null) return;
    yield `{"rows":[${chunk.rows ?? ''}]}`;
    above = chunk.last;
  }
}
