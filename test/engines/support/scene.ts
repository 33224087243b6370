// A server, a network that can be broken, and one browser on one profile, with windows that come and go.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { StartOptions } from '../../browser/page/page.ts';
import { FaultProxy } from '../../browser/support/fault-proxy.ts';
import { TestServer } from '../../browser/support/server.ts';
import type { Engine, Running } from './engine.ts';
import { Gone, Hub, type RemoteWindow } from './hub.ts';

export type Mode = 'lease' | 'service-worker';

/** Shorter than the production's, so that tests do not wait; in the same order of length. */
export const shortTimes = {
  beat: 200,
  look: 200,
  timeout: 1500,
  listenBeat: 500,
  listenLook: 500,
  listenTimeout: 2500,
  retry: 300,
  retryMax: 2000,
  idle: 5000,
  fetch: 5000,
  token: 3000,
  socketRetry: 200,
  socketRetryMax: 2000,
  service: 6000,
  serviceStuck: 20_000,
  serviceLook: 1000,
};

/** What the server has in its log of the realm `public`, in the order of revisions. */
export interface Entry {
  readonly epoch: number | null;
  readonly actions: number;
}

export interface Note {
  readonly id: string;
  readonly title: string;
  readonly rank: number;
}

export class Scene {
  readonly #start: (folder: string) => Promise<Running>;
  readonly #mode: Mode;
  readonly #times: Readonly<Record<string, number>> | null;
  readonly #folder = mkdtempSync(join(tmpdir(), 'skerry-engine-'));
  readonly #data: string;
  readonly #server: TestServer;
  readonly #hub: Hub;
  readonly proxy: FaultProxy;
  readonly windows = new Map<string, RemoteWindow>();
  #running: Promise<Running> | null = null;
  /** The one before it, until none of its processes is left. */
  #ending: Promise<void> = Promise.resolve();
  #count = 0;
  #ended = false;

  private constructor(
    start: (folder: string) => Promise<Running>,
    mode: Mode,
    times: Readonly<Record<string, number>> | null,
    data: string,
    parts: { server: TestServer; hub: Hub; proxy: FaultProxy },
  ) {
    this.#start = start;
    this.#mode = mode;
    this.#times = times;
    this.#data = data;
    this.#server = parts.server;
    this.#hub = parts.hub;
    this.proxy = parts.proxy;
  }

  /** `times`: null for the production's. */
  static async start(
    engine: Engine,
    mode: Mode,
    files: { readonly files: string; readonly schema: string },
    times: Readonly<Record<string, number>> | null = shortTimes,
    { isPrivate = false } = {},
  ): Promise<Scene> {
    const data = mkdtempSync(join(tmpdir(), 'skerry-data-'));
    const server = await TestServer.start({ ...files, data });
    const [hub, proxy] = await Promise.all([Hub.start(), FaultProxy.start(server.url)]);
    const start = (folder: string) => engine.start(folder, isPrivate);
    return new Scene(start, mode, times, data, { server, hub, proxy });
  }

  running(): Promise<Running> {
    this.#running ??= this.#ending.then(() => this.#start(this.#folder));
    return this.#running;
  }

  /** A window of the test page with its database open. Rejects with Gone where it is killed before. */
  async open(options: StartOptions = {}): Promise<RemoteWindow> {
    const id = `w${++this.#count}`;
    const arrival = this.#hub.arrival(id);
    const browser = this.running();
    try {
      await (await browser).open(id, `${this.proxy.url}/?hub=${this.#hub.port}&window=${id}`);
    } catch (error) {
      if (browser === this.#running) throw error;
      throw new Gone(id); // with the browser
    }
    const window = await arrival;
    this.windows.set(id, window);
    void window.gone.then(() => this.windows.delete(id));
    await window.call('start', {
      serviceWorker: this.#mode === 'service-worker',
      ...(this.#times ? { times: this.#times } : {}),
      ...options,
    });
    return window;
  }

  async close(window: RemoteWindow): Promise<void> {
    await (await this.running()).close(window.id);
    await window.gone;
  }

  async crash(window: RemoteWindow): Promise<void> {
    await (await this.running()).crash(window.id, window.gone);
    await window.gone;
  }

  /** SIGKILL to the whole browser. The next window starts it again, on the same profile. */
  async kill(): Promise<void> {
    const all = [...this.windows.values()];
    const running = await this.running();
    this.#running = null;
    this.#ending = running.signal('SIGKILL');
    // Before anybody asks for a window of the next.
    this.#hub.lost();
    await this.#ending;
    for (const window of all) window.end();
    await Promise.all(all.map(({ gone }) => gone));
  }

  /** All rows of `notes` as the server has them, in the order of their ids. */
  async notes(): Promise<Note[]> {
    const answer = await fetch(`${this.#server.url}/v1/tables/notes`, {
      headers: { authorization: 'Bearer dev:looker' },
    });
    const { rows } = (await answer.json()) as { rows: { id: string; props: Omit<Note, 'id'> }[] };
    return rows.map(({ id, props }) => ({ id, title: props.title, rank: props.rank }));
  }

  /** Ends everything, and reads the server's log of the realm `public`. */
  async log(): Promise<Entry[]> {
    await this.#end();
    const database = await PGlite.create({ dataDir: join(this.#data, 'pg') });
    try {
      const { rows } = await database.query<Entry>(
        `select pusher_epoch as epoch, coalesce(json_array_length(actions), 0) as actions
         from skerry.log where realm = 'public' order by revision`,
      );
      return rows;
    } finally {
      await database.close();
    }
  }

  async #end(): Promise<void> {
    this.#ended = true;
    await (await this.#running)?.stop();
    this.#running = null;
    await this.#hub.close();
    await this.proxy.close();
    await this.#server.stop();
  }

  async stop(): Promise<void> {
    if (!this.#ended) await this.#end();
    for (const folder of [this.#folder, this.#data])
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
