// Images of whole realms: made by the authority from the rows of one snapshot, kept as immutable files, offered to clients
// that have nothing yet. An image that is a little behind its realm is as good as a new one: the client pulls the rest.

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Authority } from '../authority/authority.ts';
import type { Queryable } from '../db/database.ts';
import { isObject } from '../http/body.ts';
import { limits } from '../limits.ts';
import { rowJson } from '../sql/rows.ts';
import type { SqlSchema, SqlTable } from '../sql/tables.ts';

/** As pull's `fills` name it (docs/internals.md section 6). */
export interface ImageOffer {
  readonly realm: string;
  readonly revision: number;
  readonly at: number;
  readonly epoch: string;
  readonly hash: string;
  readonly bytes: number;
  readonly url: string;
}

interface Kept extends ImageOffer {
  /** The schema that it was made under: another one reads it as another version. */
  readonly schema: string;
  readonly file: string;
}

const kRowsPerChunk = 8_000;
/** An image further behind its realm than this is made anew when it is asked for. */
const kEntriesBehind = 1_000;
const kListing = /\.json$/;

function isKept(value: unknown): value is Kept {
  return (
    isObject(value) &&
    ['realm', 'epoch', 'hash', 'url', 'schema', 'file'].every(
      (name) => typeof value[name] === 'string',
    ) &&
    ['revision', 'at', 'bytes'].every((name) => Number.isSafeInteger(value[name])) &&
    /^[0-9a-f-]+\.image$/.test(String(value.file))
  );
}

export class Images {
  readonly #folder: string;
  readonly #authority: Authority;
  readonly #schema: SqlSchema;
  readonly #schemaHash: string;
  /** Newest last. */
  #kept: Kept[] = [];

  private constructor(folder: string, authority: Authority, schema: SqlSchema) {
    this.#folder = folder;
    this.#authority = authority;
    this.#schema = schema;
    this.#schemaHash = createHash('sha256').update(authority.schemaText).digest('hex');
  }

  /** Finds the images that are on disk; what cannot be read, or is of another schema, is removed. */
  static async open(folder: string, authority: Authority, schema: SqlSchema): Promise<Images> {
    const images = new Images(folder, authority, schema);
    await mkdir(folder, { recursive: true });
    const wanted = new Set<string>();
    for (const name of await readdir(folder)) {
      if (!kListing.test(name)) continue;
      const kept = parse(await readFile(join(folder, name), 'utf8'));
      if (kept === null || kept.schema !== images.#schemaHash) continue;
      images.#kept.push(kept);
      wanted.add(name).add(kept.file);
    }
    for (const name of await readdir(folder)) {
      if (!wanted.has(name)) await rm(join(folder, name), { force: true });
    }
    images.#kept.sort((a, b) => a.at - b.at);
    return images;
  }

  /** An image of a realm: the newest kept one if it will do, else one of this very snapshot. */
  async offer(tx: Queryable, realm: string): Promise<ImageOffer> {
    const [head] = await tx.query<{ epoch: string; head: string; at: string }>(
      `select epoch, head::text as head, at::text as at from skerry.realm where realm = $1::text`,
      [realm],
    );
    if (head === undefined)
      throw new Error('An image of a realm that does not exist was asked for.');
    const kept = await this.#usable(tx, realm, head.epoch, Number(head.head));
    return publicPart(kept ?? (await this.#make(tx, realm, head.epoch, head.head, head.at)));
  }

  /** The file of an image, or null. The caller has checked that the user may read the realm. */
  find(
    realm: string,
    epoch: string,
    revision: number,
    hash: string,
  ): { path: string; bytes: number } | null {
    const kept = this.#kept.find(
      (one) =>
        one.realm === realm &&
        one.epoch === epoch &&
        one.revision === revision &&
        one.hash === hash,
    );
    return kept === undefined ? null : { path: join(this.#folder, kept.file), bytes: kept.bytes };
  }

  async #usable(tx: Queryable, realm: string, epoch: string, head: number): Promise<Kept | null> {
    const kept = this.#kept.findLast((one) => one.realm === realm && one.epoch === epoch);
    if (kept === undefined || kept.revision > head || head - kept.revision > kEntriesBehind)
      return null;
    // An image of another history under the same epoch (a database restored from a backup) is of no use.
    const [entry] = await tx.query<{ at: string }>(
      `select at::text as at from skerry.log where realm = $1::text and revision = $2::text::bigint`,
      [realm, String(kept.revision)],
    );
    return entry !== undefined && Number(entry.at) === kept.at ? kept : null;
  }

  async #make(
    tx: Queryable,
    realm: string,
    epoch: string,
    head: string,
    at: string,
  ): Promise<Kept> {
    const revision = Number(head);
    const image = await this.#authority.image(
      realm,
      revision,
      Number(at),
      rowChunks(tx, this.#schema, realm),
    );
    const kept: Kept = {
      realm,
      revision,
      at: Number(at),
      epoch,
      hash: image.hash,
      bytes: image.bytes.byteLength,
      url: `/v1/snapshot/${encodeURIComponent(realm)}/${epoch}/${revision}/${image.hash}`,
      schema: this.#schemaHash,
      file: `${randomUUID()}.image`,
    };
    await this.#write(kept, image.bytes);
    this.#kept.push(kept);
    await this.#removeOld();
    return kept;
  }

  /** The listing is written last, under its own name at once: what it names is whole. */
  async #write(kept: Kept, bytes: Uint8Array): Promise<void> {
    const file = await open(join(this.#folder, kept.file), 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    const listing = join(this.#folder, `${kept.file}.json`);
    await writeFile(`${listing}.new`, JSON.stringify(kept));
    await rename(`${listing}.new`, listing);
  }

  async #removeOld(): Promise<void> {
    const extra = this.#kept.slice(0, Math.max(0, this.#kept.length - limits.imagesKept));
    this.#kept = this.#kept.slice(extra.length);
    for (const { file } of extra) {
      await rm(join(this.#folder, `${file}.json`), { force: true });
      await rm(join(this.#folder, file), { force: true });
    }
  }
}

function parse(text: string): Kept | null {
  try {
    const value: unknown = JSON.parse(text);
    return isKept(value) ? value : null;
  } catch (error) {
    // A listing that a crash left half written: its image is made again when it is needed.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function publicPart({ realm, revision, at, epoch, hash, bytes, url }: Kept): ImageOffer {
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
    const [chunk] = await tx.query<{ rows: string | null; last: string | null; count: string }>(
      `select string_agg((${rowJson(table, 'p')})::text, ',' order by p.id) as rows, max(p.id) as last,
              count(*)::text as count
         from (select * from ${table.name} t
                where t.realm = $1::text and t.deleted_at is null and t.id > $2::text collate "C"
                order by t.id limit ${kRowsPerChunk}) p`,
      [realm, above],
    );
    if (chunk?.last == null) return;
    yield `{"rows":[${chunk.rows ?? ''}]}`;
    if (Number(chunk.count) < kRowsPerChunk) return;
    above = chunk.last;
  }
}
