// Images that all nodes of a database share, in parts in a table: a client may fetch from one node what another has
// offered. A node's folder is only a cache of them. They are written on a separate connection: an image is made
// within a pull's snapshot, which holds one, and pulls that hold all connections must not each wait for one more.

import { randomUUID } from 'node:crypto';
import { limits } from '../base/limits.ts';
import type { Database, Queryable } from '../db/database.ts';
import {
  type FolderStore,
  type ImageFile,
  type ImageName,
  type ImageStore,
  imageUrl,
  type StoredImage,
} from './folder-store.ts';

type ImageRow = Record<
  'realm' | 'epoch' | 'revision' | 'at' | 'hash' | 'bytes' | 'schema' | 'id',
  string
>;

const kPartBytes = 1 << 20;
const kColumns = `i.id, i.realm, i.epoch, i.revision::text as revision, i.at::text as at, i.hash,
  i.bytes::text as bytes, i.schema`;

function keptOf(row: ImageRow): StoredImage {
  const { realm, epoch, hash, schema } = row;
  const revision = Number(row.revision);
  return {
    ...{ realm, epoch, hash, schema, revision },
    at: Number(row.at),
    bytes: Number(row.bytes),
    url: imageUrl({ realm, epoch, revision, hash }),
    file: `${randomUUID()}.image`,
  };
}

export class SharedStore implements ImageStore {
  readonly #cache: FolderStore;
  readonly #database: Database;
  readonly #schema: string;
  readonly #closed: () => Promise<void>;
  readonly #loading = new Map<string, Promise<ImageFile | null>>();

  /** `database` is used by this store alone. */
  constructor(
    cache: FolderStore,
    database: Database,
    options: { readonly schemaHash: string; readonly closed: () => Promise<void> },
  ) {
    this.#cache = cache;
    this.#database = database;
    this.#schema = options.schemaHash;
    this.#closed = options.closed;
  }

  async newest(tx: Queryable, realm: string, epoch: string): Promise<StoredImage | null> {
    const [row] = await tx.query<ImageRow>(
      `select ${kColumns} from skerry.image i
        where i.realm = $1::text and i.epoch = $2::text and i.schema = $3::text
        order by i.revision desc limit 1`,
      [realm, epoch, this.#schema],
    );
    return row === undefined ? null : keptOf(row);
  }

  async keep(kept: StoredImage, bytes: Uint8Array): Promise<void> {
    await this.#cache.keep(kept, bytes);
    await this.#database.transaction({ mode: 'write' }, async (tx) => {
      const { realm, epoch, hash, schema } = kept;
      const [id, revision, at] = [kept.file, String(kept.revision), String(kept.at)];
      await tx.query(
        `insert into skerry.image (id, realm, epoch, revision, at, hash, bytes, schema)
         values ($1::text, $2::text, $3::text, $4::text::bigint, $5::text::bigint, $6::text, $7::text::bigint, $8::text)`,
        [id, realm, epoch, revision, at, hash, String(bytes.byteLength), schema],
      );
      for (let part = 0; part * kPartBytes < bytes.byteLength; part++) {
        const data = bytes.subarray(part * kPartBytes, (part + 1) * kPartBytes);
        await tx.query(
          `insert into skerry.image_part (image, part, data)
           values ($1::text, $2::text::integer, decode($3::text, 'base64'))`,
          [id, String(part), Buffer.from(data).toString('base64')],
        );
      }
      // Images that were offered before stay for a while: their downloads may not have begun.
      await tx.query(
        `delete from skerry.image i where i.realm = $1::text and i.id not in (
           select k.id from skerry.image k where k.realm = $1::text
            order by k.revision desc, k.id limit ${limits.imagesKept})`,
        [realm],
      );
    });
  }

  async find(name: ImageName): Promise<ImageFile | null> {
    const cached = await this.#cache.find(name);
    if (cached !== null) return cached;
    const key = imageUrl(name);
    const loading = this.#loading.get(key) ?? this.#load(name);
    this.#loading.set(key, loading);
    try {
      return await loading;
    } finally {
      this.#loading.delete(key);
    }
  }

  /** Looks in the table, which all nodes share. */
  async has(name: ImageName): Promise<boolean> {
    return (
      (await this.#database.transaction({ mode: 'snapshot' }, (tx) => rowOf(tx, name))) !== null
    );
  }

  async close(): Promise<void> {
    await this.#database.close();
    await this.#closed();
  }

  /** Copies an image from the table into the folder. */
  async #load(name: ImageName): Promise<ImageFile | null> {
    if (!Number.isSafeInteger(name.revision)) return null;
    const found = await this.#database.transaction({ mode: 'snapshot' }, async (tx) => {
      const row = await rowOf(tx, name);
      return row === null ? null : { kept: keptOf(row), bytes: await readParts(tx, row.id) };
    });
    if (found === null) return null;
    if (found.bytes.byteLength !== found.kept.bytes) {
      throw new Error(`An image of ${name.realm} lacks parts.`);
    }
    await this.#cache.keep(found.kept, found.bytes);
    return this.#cache.find(name);
  }
}

async function rowOf(tx: Queryable, name: ImageName): Promise<ImageRow | null> {
  const [row] = await tx.query<ImageRow>(
    `select ${kColumns} from skerry.image i
      where i.realm = $1::text and i.epoch = $2::text and i.revision = $3::text::bigint and i.hash = $4::text limit 1`,
    [name.realm, name.epoch, String(name.revision), name.hash],
  );
  return row ?? null;
}

async function readParts(tx: Queryable, id: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (;;) {
    const [row] = await tx.query<{ data: string }>(
      `select encode(data, 'base64') as data from skerry.image_part
        where image = $1::text and part = $2::text::integer`,
      [id, String(parts.length)],
    );
    if (row === undefined) return Buffer.concat(parts);
    parts.push(Buffer.from(row.data, 'base64'));
  }
}
