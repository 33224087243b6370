/**
 * Image jobs: the effect `image` of docs/sync-worker.md, section 6. A job writes a new image of the client (a realm's
 * image from the server as it is, or the old image with the records since folded in), or removes what is left of old ones.
 * It does not publish: the core switches the pointer afterwards, in a transaction of its own.
 */

import type {
  EmptyingJob,
  ImageEvent,
  ImageFetch,
  ImageJob,
  ImageJobError,
  ImagePart,
} from '../core/core-types.ts';
import { CorruptImageError, ServerError, SkerryError } from '../core/errors.ts';
import type { WorkerSideHost } from '../host/host.ts';
import { deleteFormerImages, emptyMount } from '../host/idb-images.ts';
import { ImageReader, placeOf } from '../host/image-reader.ts';
import { readNow, type Storage } from '../host/storage.ts';
import type { Timers } from '../host/timers.ts';
import { transportFailure } from '../host/transport.ts';
import { ImageFiles, OvertakenError } from './image-files.ts';

export interface ImageParts {
  readonly host: WorkerSideHost;
  readonly storage: Storage;
  /** `skerry/<name>/<user>`. */
  readonly database: string;
  readonly remote: { readonly url: string; readonly credentials: RequestCredentials };
  readonly report: (event: ImageEvent) => void;
}

/** Records are read in pages, so that no transaction is long. */
const recordsAtOnce = 64;
const progressEveryMs = 100;
/** Longer than what fetching a realm's image may take (`imageFetch`), and than any compaction that was measured. */
const jobLimitMs = 900_000;

export class ImageJobs {
  readonly #parts: ImageParts;
  readonly #running = new Map<number, AbortController>();
  readonly #timers: Timers;

  constructor(parts: ImageParts) {
    this.#parts = parts;
    this.#timers = parts.host.timers();
  }

  start(id: number, job: ImageJob | EmptyingJob): void {
    const stop = new AbortController();
    this.#running.set(id, stop);
    // Neither Emscripten's file system nor the loading of a module has a limit of its own, and nothing is pulled meanwhile.
    this.#timers.set(`${id}`, jobLimitMs, () => {
      this.abort(id);
      const message = `The image was not done within ${jobLimitMs} ms.`;
      this.#parts.report({ type: 'image', id, error: { name: 'timeout', message } });
    });
    void this.#run(id, job, stop.signal);
  }

  abort(id: number): void {
    this.#running.get(id)?.abort();
    this.#end(id);
  }

  #end(id: number): void {
    this.#timers.cancel(`${id}`);
    this.#running.delete(id);
  }

  abortAll(): void {
    for (const id of [...this.#running.keys()]) this.abort(id);
  }

  async #run(id: number, job: ImageJob | EmptyingJob, signal: AbortSignal): Promise<void> {
    let event: ImageEvent;
    try {
      const parts =
        job.kind === 'empty' ? await this.#empty(job) : await this.#write(id, job, signal);
      event = { type: 'image', id, parts };
    } catch (error) {
      event = { type: 'image', id, error: describe(error) };
    }
    if (signal.aborted) return;
    this.#end(id);
    this.#parts.report(event);
  }

  async #empty({ number, mounts, generations, keep }: EmptyingJob): Promise<readonly ImagePart[]> {
    const { database } = this.#parts;
    for (const mount of mounts) await emptyMount(`/${database}/${mount}`, number);
    if (generations) await deleteFormerImages(database, generations, keep);
    return [];
  }

  async #write(id: number, job: ImageJob, signal: AbortSignal): Promise<readonly ImagePart[]> {
    const { host, database } = this.#parts;
    // Before anything is made: the server may have no such image any more.
    const fetched = job.fetch && (await this.#fetch(id, job.fetch, signal));
    signal.throwIfAborted();
    const place = { ...placeOf(database, job), number: job.number };
    const files = await ImageFiles.begin((url) => host.wasm(url), job.schema, place);
    try {
      const parts: ImagePart[] = [];
      if (job.fetch && fetched) parts.push(stored(files, job.fetch, fetched));
      if (job.compacts) parts.push(await this.#compact(files, job, signal));
      // Its database may have been deleted with the client's, which aborts the job first: none is made again.
      signal.throwIfAborted();
      await files.commit(parts);
      return parts;
    } finally {
      files.close();
    }
  }

  async #fetch(id: number, fetch: ImageFetch, signal: AbortSignal): Promise<Uint8Array> {
    const { host, remote, report } = this.#parts;
    let reported = Number.NEGATIVE_INFINITY;
    const answer = await host.transport.request({
      method: 'GET',
      url: imageUrl(fetch.url, remote.url),
      headers: fetch.token === null ? {} : { authorization: `Bearer ${fetch.token}` },
      timeoutMs: fetch.timeoutMs,
      maxBytes: fetch.bytes,
      credentials: remote.credentials,
      signal,
      onProgress: (done) => {
        const now = host.clock.mono();
        if (signal.aborted || now - reported < progressEveryMs) return;
        reported = now;
        report({ type: 'image', id, progress: { done, total: fetch.bytes } });
      },
    });
    signal.throwIfAborted();
    if (answer.status !== 200) throw new StatusError(answer.status);
    // What follows, storing it, has no measure.
    report({ type: 'image', id, progress: { done: fetch.bytes, total: fetch.bytes } });
    return answer.body;
  }

  async #compact(files: ImageFiles, job: ImageJob, signal: AbortSignal): Promise<ImagePart> {
    const { host, database } = this.#parts;
    if (job.from) {
      for (const part of new ImageReader(host.storage, database).read(job.from))
        files.load(await Promise.all(part.files));
    }
    for (let above = job.from?.n ?? 0; above < job.upto; ) {
      signal.throwIfAborted();
      const records = await this.#records(above, job.upto);
      for (const { key, body } of records) {
        // A gap would make an image that lacks something for ever.
        if (key !== above + 1)
          throw new CorruptImageError('corrupt', `Record ${above + 1} is missing.`);
        files.apply(body);
        above = key;
      }
      if (records.length === 0)
        throw new CorruptImageError('corrupt', `Record ${above + 1} is missing.`);
    }
    for (const realm of job.dropRealms) files.dropRealm(realm);
    return files.encode('rows', job.upto, job.cursors);
  }

  async #records(above: number, to: number): Promise<{ key: number; body: Uint8Array }[]> {
    const range = { above, to, limit: recordsAtOnce };
    const [rows] = await readNow(this.#parts.storage, [{ store: 'updates', range }]);
    return (rows as { key: number; value: { body: Uint8Array } }[]).map(({ key, value }) => ({
      key,
      body: value.body,
    }));
  }
}

/** Where an image is: below the remote, whatever its server said. The token goes nowhere else. */
function imageUrl(url: string, remote: string): string {
  const below = new URL(`${remote.replace(/\/+$/, '')}/`);
  const found = URL.canParse(url, below) ? new URL(url, below) : null;
  if (found?.origin === below.origin && found.pathname.startsWith(below.pathname))
    return found.href;
  throw new ServerError('bad_answer', 'The server named an image that is not on it.');
}

class StatusError extends ServerError {
  readonly status: number;

  constructor(status: number) {
    super('image', `The server answered ${status} instead of the image.`);
    this.status = status;
  }
}

function stored(files: ImageFiles, fetch: ImageFetch, bytes: Uint8Array): ImagePart {
  const part = files.store('realm', bytes);
  if (part.bytes === fetch.bytes && part.checksum === fetch.checksum) return part;
  throw new CorruptImageError(
    'corrupt',
    'The image from the server is damaged, or not the one that it announced.',
  );
}

function describe(error: unknown): ImageJobError {
  const { message } = error as Error;
  if (error instanceof OvertakenError) return { name: 'overtaken', message };
  if (error instanceof StatusError) return { name: 'status', message, status: error.status };
  const known = error instanceof SkerryError;
  if (known && ['network', 'timeout', 'too_large', 'invalid_request'].includes(error.code))
    return transportFailure(error);
  return { name: known ? error.code : 'image', message };
}
