// A server, a network that can be broken, and one browser on one profile, with windows that come and go.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { StartOptions } from '../../browser/page/page.ts';
import { FaultProxy } from '../../browser/support/fault-proxy.ts';
import { TestServer } from '../../browser/support/server.ts';
import type { Site } from '../../browser/support/site.ts';
import { rowsOnServer } from '../../browser/support/table.ts';
import { shortLeases } from '../../browser/support/times.ts';
import { patience } from '../../support/patience.ts';
import type { Engine, Running, Start } from './engine.ts';
import { Gone, Hub, type RemoteWindow } from './hub.ts';

/** Which worker pushes; `local`: none, there is no server. */
export type Mode = 'lease' | 'service-worker' | 'local';

/** Shorter than the production's, so that tests do not wait, in the same order of length. */
export const shortTimes = {
  ...shortLeases,
  retry: 300,
  retryMax: 2000,
  idle: 5000,
  fetch: 5000,
  token: 3000,
  socketRetry: 200,
  socketRetryMax: 2000,
  service: 12_000,
  serviceStuck: 20_000,
  serviceLook: 1000,
};

/** The server's log of the realm `public`, in the order of revisions. */
export interface Entry {
  readonly epoch: number | null;
  readonly actions: number;
}

export interface Note {
  readonly id: string;
  readonly title: string;
  readonly rank: number;
}

/** A window that has not answered for so long does not run. */
const SILENCE_MS = patience(2000);

export interface Setting extends Start {
  /** The production's pauses and limits, not the short ones. */
  readonly production?: boolean;
}

export class Scene {
  readonly #engine: Engine;
  readonly #data: string;
  readonly #server: TestServer;
  readonly #hub: Hub;
  readonly #folders: string[] = [];
  readonly proxy: FaultProxy;
  readonly windows = new Map<string, RemoteWindow>();
  #options: StartOptions = {};
  #setting: Setting = {};
  #running: Promise<Running> | null = null;
  /** The one before it, until none of its processes is left. */
  #ending: Promise<void> = Promise.resolve();
  #count = 0;
  #users = 0;
  #ended = false;
  /** Server and hub are another scene's. */
  #isGuest = false;

  private constructor(
    engine: Engine,
    data: string,
    parts: { server: TestServer; hub: Hub; proxy: FaultProxy },
  ) {
    this.#engine = engine;
    this.#data = data;
    this.#server = parts.server;
    this.#hub = parts.hub;
    this.proxy = parts.proxy;
  }

  /** With a server that takes windows of both versions of the application, unless it is to have another schema. */
  static async start(engine: Engine, site: Site, schema = site.bothSchema): Promise<Scene> {
    const data = mkdtempSync(join(tmpdir(), 'skerry-data-'));
    const files = { files: site.files, schema };
    const server = await TestServer.start({ ...files, data });
    const hub = await Hub.start();
    const proxy = await FaultProxy.start(server.url, `ws://127.0.0.1:${hub.port}`);
    return new Scene(engine, data, { server, hub, proxy });
  }

  /** Of the server, without the network that can be broken. */
  get serverUrl(): string {
    return this.#server.url;
  }

  /** Of another engine, with the same server and users, and a network of its own. Stop it first. */
  async beside(engine: Engine): Promise<Scene> {
    const server = this.#server;
    const hub = this.#hub;
    const proxy = await FaultProxy.start(server.url, `ws://127.0.0.1:${hub.port}`);
    const scene = new Scene(engine, this.#data, { server, hub, proxy });
    scene.#isGuest = true;
    return scene;
  }

  /** What follows is another user's, who sees no database of those before. The browser stays, if it can. */
  async begin(mode: Mode, setting: Setting = {}): Promise<void> {
    await this.#clear();
    const { isPrivate, isSmall } = this.#setting;
    const same = setting.isPrivate === isPrivate && setting.isSmall === isSmall;
    if (this.#folders.length === 0 || !same) {
      if (this.#running) await this.kill();
      this.#folders.push(mkdtempSync(join(tmpdir(), 'skerry-engine-')));
    }
    this.#setting = setting;
    this.#options = {
      user: `user-${++this.#users}`,
      serviceWorker: mode === 'service-worker',
      local: mode === 'local',
      ...(setting.production ? {} : { times: shortTimes }),
    };
  }

  async #clear(): Promise<void> {
    this.proxy.rules();
    this.proxy.setOffline(false);
    const any = this.windows.size > 0;
    for (const window of this.windows.values()) await this.close(window);
    // In a window of its own: an engine may keep a service worker for as long as its windows are open.
    if (!any || !this.#options.serviceWorker) return;
    const last = await this.#bare();
    await last.call('unregister');
    await this.close(last);
  }

  running(): Promise<Running> {
    const folder = this.#folders.at(-1);
    if (!folder) throw new Error('the scene has not begun');
    this.#running ??= this.#ending.then(() => this.#engine.start(folder, this.#setting));
    return this.#running;
  }

  /** A window of the test page with its database open. Rejects with Gone if it is killed before. */
  async open(options: StartOptions = {}): Promise<RemoteWindow> {
    const window = await this.#bare();
    await this.start(window, options);
    return window;
  }

  /** Opens the database in a window that has none open. */
  start(window: RemoteWindow, options: StartOptions = {}): Promise<void> {
    return window.call('start', { ...this.#options, ...options });
  }

  /** A window of the release to come with nothing open (test/browser/support/next-release.ts). */
  bareNext(): Promise<RemoteWindow> {
    return this.#bare('next/');
  }

  async #bare(folder = ''): Promise<RemoteWindow> {
    const id = `${this.#isGuest ? 'guest' : 'w'}${++this.#count}`;
    let arrival: Promise<RemoteWindow>;
    const browser = this.running();
    try {
      const running = await browser;
      arrival = this.#hub.arrival(id);
      await running.open(id, `${this.proxy.url}/${folder}?hub=${this.#hub.port}&window=${id}`);
    } catch (error) {
      if (browser === this.#running) throw error;
      throw new Gone(id); // with the browser
    }
    const window = await arrival;
    this.#joined(window);
    return window;
  }

  async close(window: RemoteWindow): Promise<void> {
    await (await this.running()).close(window.id);
    await window.gone;
  }

  /** Navigates that window to an empty page. Resolves when the hub has its last message. */
  async leave(window: RemoteWindow): Promise<void> {
    await window.call('leave');
    await window.gone;
    await (await this.running()).leave(window.id);
  }

  /** Goes back in a window that was left: to the page from bfcache, or to a reloaded one. */
  async goBack(left: RemoteWindow): Promise<{ window: RemoteWindow; kept: boolean }> {
    const arrival = this.#hub.arrival(left.id);
    await (await this.running()).goBack(left.id);
    const window = await arrival;
    this.#joined(window);
    const kept = await window.call('isOpen');
    if (!kept) await window.call('start', this.#options);
    return { window, kept };
  }

  /** Loads the page of that window again, and opens the database in it. */
  async reload(left: RemoteWindow, options: StartOptions = {}): Promise<RemoteWindow> {
    const arrival = this.#hub.arrival(left.id);
    await left.call('reload');
    const window = await arrival;
    this.#joined(window);
    await this.start(window, options);
    return window;
  }

  /** Returns what thaws it. */
  async freeze(window: RemoteWindow): Promise<() => Promise<void>> {
    const answers = () =>
      Promise.race([
        window.call('isOpen'),
        new Promise<false>((resolve) => setTimeout(() => resolve(false), SILENCE_MS)),
      ]);
    const thaw = await (await this.running()).freeze?.(window.id, answers);
    if (!thaw) throw new Error(`${this.#engine.name} freezes no window`);
    return thaw;
  }

  async crash(window: RemoteWindow): Promise<void> {
    await (await this.running()).crash(window.id, window.gone);
    await window.gone;
  }

  /** Kills the process that has databases and network. The windows live, and come back under their names. */
  async loseStorage(): Promise<RemoteWindow[]> {
    const ids = [...this.windows.keys()];
    const back = ids.map((id) => this.#hub.arrival(id));
    (await this.running()).loseStorage?.();
    const windows = await Promise.all(back);
    for (const window of windows) this.#joined(window);
    return windows;
  }

  #joined(window: RemoteWindow): void {
    this.windows.set(window.id, window);
    void window.gone.then(() => {
      if (this.windows.get(window.id) === window) this.windows.delete(window.id);
    });
  }

  /** The same profile in a restarted browser, with unlimited storage. */
  async enlarge(): Promise<void> {
    await this.kill();
    this.#setting = { ...this.#setting, isSmall: false };
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
    const rows = await rowsOnServer<Omit<Note, 'id'>>(this.#server.url, 'notes');
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
    try {
      await (await this.#running)?.stop();
    } finally {
      // Also where the browser did not start.
      this.#running = null;
      if (!this.#isGuest) await this.#hub.close();
      await this.proxy.close();
      if (!this.#isGuest) await this.#server.stop();
    }
  }

  async stop(): Promise<void> {
    if (!this.#ended) await this.#end();
    for (const folder of this.#isGuest ? this.#folders : [...this.#folders, this.#data])
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
