/**
 * The wasm of a service worker: out of Cache Storage, by the hash of its content, which the build writes into the script.
 * So a script and its wasm always fit together, whatever lies at the address now, and a start needs no network.
 */
import { UnsupportedError } from '../core/errors.ts';

const cacheName = 'skerry-wasm';

/** `hashes`: file name → SHA-256, in hexadecimal. `fallback`: where a file lies beside the script. */
export class WasmCache {
  readonly #hashes: Readonly<Record<string, string>>;
  readonly #fallback: (name: string) => URL;

  constructor(hashes: Readonly<Record<string, string>>, fallback: (name: string) => URL) {
    this.#hashes = hashes;
    this.#fallback = fallback;
  }

  /** Fetches what is missing, and deletes what other versions have left. */
  async fill(): Promise<void> {
    const cache = await caches.open(cacheName);
    const wanted = new Set<string>();
    for (const name of Object.keys(this.#hashes)) {
      wanted.add(this.#key(name));
      await this.get(this.#fallback(name), name);
    }
    for (const request of await cache.keys())
      if (!wanted.has(request.url)) await cache.delete(request);
  }

  async get(url: URL, name: string): Promise<Response | Uint8Array> {
    const cache = await caches.open(cacheName);
    const key = this.#key(name);
    const found = await cache.match(key);
    if (found) return found;
    const bytes = (await this.#fetch(url, name)) ?? (await this.#fetch(this.#fallback(name), name));
    if (!bytes)
      throw new UnsupportedError('wasm', `${name} of this version could not be fetched.`, {
        retryable: true,
      });
    const headers = { 'content-type': 'application/wasm' };
    await cache.put(key, new Response(bytes as BodyInit, { headers }));
    return bytes;
  }

  /** Null where something else lies there. */
  async #fetch(url: URL, name: string): Promise<Uint8Array | null> {
    const answer = await fetch(url, { credentials: 'same-origin', cache: 'no-cache' }).catch(
      () => null,
    );
    if (!answer?.ok) return null;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return (await sha256(bytes)) === this.#hashes[name] ? bytes : null;
  }

  /** Nothing lies at this address: it is a name. */
  #key(name: string): string {
    return new URL(`/skerry-wasm/${this.#hashes[name]}/${name}`, location.href).href;
  }
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as BufferSource);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
