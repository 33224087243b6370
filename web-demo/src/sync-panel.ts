// The sync panel: the switch that takes all of this browser's windows offline, what went wrong, in words, and the package's inspector, which
// is loaded when somebody opens it.
import type { SyncStatus } from 'skerry';
import { defineInspector, type InspectorElement } from 'skerry/elements';
import type { Demo } from './database.js';
import { byId, formatNumber, make } from './dom.js';

const PHASES: Readonly<Record<SyncStatus['phase'], string>> = {
  opening: 'opening',
  filling: 'first sync',
  idle: 'in step',
  pulling: 'pulling',
  pushing: 'pushing',
  waiting: 'waiting to try again',
  offline: 'offline',
  paused: 'offline by the switch',
  blocked: 'blocked',
};

export class SyncPanel {
  readonly #demo: Demo;
  readonly #channel = new BroadcastChannel('skerry-demo-switches');
  readonly #offline = byId<HTMLInputElement>('switch-offline');
  readonly #inspect = byId<HTMLDetailsElement>('inspect');
  /** What became of local data, if they were lost. */
  #lost = '';

  constructor(demo: Demo) {
    this.#demo = demo;
    this.#offline.addEventListener('change', () => {
      this.#setOffline(this.#offline.checked);
      this.#channel.postMessage(this.#offline.checked);
    });
    this.#channel.onmessage = (event) => this.#setOffline(event.data === true);
    byId('sync-now').addEventListener('click', () => {
      // A failure of the network is in the status, in words; nothing more is to be said of it here.
      demo.sync.now().catch(() => this.#render());
    });
    this.#inspect.addEventListener('toggle', () => void this.#toggle());
    demo.sync.subscribe(() => this.#render());
    demo.on('dataLost', ({ detail }) => {
      this.#lost = detail;
      this.#render();
    });
    demo.on('closed', ({ reason }) => this.#renderClosed(reason));
    if (localStorage.getItem('demo-offline') === 'yes') this.#setOffline(true);
    this.#render();
    void this.#toggle();
  }

  /** The switch holds for every window of this browser, and over a reload. */
  #setOffline(offline: boolean): void {
    this.#offline.checked = offline;
    if (offline) this.#demo.sync.pause();
    else this.#demo.sync.resume();
    localStorage.setItem('demo-offline', offline ? 'yes' : 'no');
  }

  /** Closed, the inspector collects nothing; and until it is opened first, nothing of it is loaded. */
  async #toggle(): Promise<void> {
    const inspector = byId<InspectorElement>('inspector');
    try {
      if (this.#inspect.open) await defineInspector();
      inspector.db = this.#inspect.open ? this.#demo : null;
    } catch (error) {
      inspector.textContent = `The inspector could not be loaded: ${String(error)}`;
    }
  }

  #render(): void {
    const { phase, pending, error } = this.#demo.sync.status;
    byId('sync-error').textContent = [this.#lost, error?.message].filter(Boolean).join(' ');
    const badge = byId('sync-badge');
    badge.dataset['phase'] = phase;
    badge.textContent = pending > 0 ? `${formatNumber(pending)} pending` : PHASES[phase];
  }

  /** Nothing can be changed here any more; the page opens the database when it is loaded again. */
  #renderClosed(reason: string): void {
    const badge = byId('sync-badge');
    badge.dataset['phase'] = 'blocked';
    badge.textContent = 'closed';
    const reload = make('button', { type: 'button', id: 'reload' }, 'Load the page again');
    reload.addEventListener('click', () => location.reload());
    byId('sync-error').replaceChildren(
      make('span', {}, `${this.#lost} The database is closed (${reason}). `),
      reload,
    );
  }
}
