// The sync panel: which window or worker pushes, how far this client is, what went wrong, in words; and the switch that
// takes all of this browser's windows offline.
import type { SyncStatus } from 'skerry';
import type { Demo } from './database.js';
import { byId, formatNumber, formatTime, make } from './dom.js';

const PHASES: Record<string, string> = {
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
/** What can be said of the server, in words. */
function serverWords({ mode, connected, lastHeardAt }: SyncStatus): string {
  if (mode === 'local') return 'none';
  if (connected) return 'connected';
  return lastHeardAt ? `not reached since ${formatTime(lastHeardAt)}` : 'not reached yet';
}
/** A shared list's realm has a UUID for a name, of which the first part does here. */
const shortName = (realm: string) => realm.replace(/^([0-9a-f]{8})-[0-9a-f-]{27}$/, '$1…');
const ROLES: Record<string, string> = {
  holder: 'this window pushes',
  waiter: 'another window pushes',
  hidden: 'hidden: leaves it to others',
  none: 'nothing to do',
};

export class SyncPanel {
  readonly #demo: Demo;
  readonly #channel = new BroadcastChannel('skerry-demo-switches');
  readonly #offline = byId<HTMLInputElement>('switch-offline');
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
    demo.sync.subscribe(() => this.#render());
    demo.conflicts.subscribe((conflicts) => this.#renderConflicts(conflicts));
    demo.on('dataLost', ({ detail }) => {
      this.#lost = detail;
      this.#render();
    });
    demo.on('closed', ({ reason }) => this.#renderClosed(reason));
    if (localStorage.getItem('demo-offline') === 'yes') this.#setOffline(true);
    this.#render();
  }

  /** The switch holds for every window of this browser, and over a reload. */
  #setOffline(offline: boolean): void {
    this.#offline.checked = offline;
    if (offline) this.#demo.sync.pause();
    else this.#demo.sync.resume();
    localStorage.setItem('demo-offline', offline ? 'yes' : 'no');
  }

  #render(): void {
    const status = this.#demo.sync.status;
    const facts: [string, string][] = [
      ['Sync', PHASES[status.phase] ?? status.phase],
      ['Who pushes', status.mode === 'service-worker' ? 'the service worker' : 'the windows'],
      ['Why', status.modeReason],
      ...(status.mode === 'service-worker'
        ? []
        : [['This window', ROLES[status.role] ?? status.role] as [string, string]]),
      ...this.#leaseFacts(),
      ['Pending', formatNumber(status.pending)],
      [
        'Revision',
        Object.entries(status.revisions)
          .map(([realm, revision]) => `${shortName(realm)} ${formatNumber(revision)}`)
          .join(' · ') || '–',
      ],
      ['Server', serverWords(status)],
      ['Last sync', status.lastSyncedAt ? formatTime(status.lastSyncedAt) : 'never'],
    ];
    if (status.nextTryAt) facts.push(['Next try', formatTime(status.nextTryAt)]);
    if (status.needsAuth) facts.push(['Log in', 'the server wants a new token']);
    const list = byId('sync-facts');
    list.replaceChildren(
      ...facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
    );
    byId('sync-error').textContent = [this.#lost, status.error?.message].filter(Boolean).join(' ');
    const badge = byId('sync-badge');
    badge.dataset['phase'] = status.phase;
    badge.textContent =
      status.pending > 0
        ? `${formatNumber(status.pending)} pending`
        : (PHASES[status.phase] ?? status.phase);
    this.#renderProgress(status.progress);
  }

  #leaseFacts(): [string, string][] {
    const lease = (
      this.#demo.sync.status as { lease?: { owner: string | null; epoch: number; beat: number } }
    ).lease;
    if (!lease) return [];
    return [
      [
        'Lease',
        lease.owner ? `held by ${lease.owner.replace(/^(service-)?(.{8}).*/, '$1$2')}` : 'free',
      ],
      ['Epoch, heartbeat', `${lease.epoch}, ${lease.beat}`],
    ];
  }

  #renderProgress(progress: { done: number; total: number } | null): void {
    const bar = byId<HTMLProgressElement>('fill-progress');
    bar.hidden = !progress;
    if (!progress) return;
    bar.max = progress.total;
    bar.value = progress.done;
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

  #renderConflicts(
    conflicts: readonly {
      id: string | number;
      table: string;
      key: string;
      reason: string;
      code: string;
    }[],
  ): void {
    byId('conflicts').hidden = conflicts.length === 0;
    byId('conflicts-list').replaceChildren(
      ...conflicts.map((conflict) => {
        const discard = make('button', { type: 'button', class: 'quiet' }, 'Discard');
        const retry = make('button', { type: 'button', class: 'quiet' }, 'Try again');
        discard.addEventListener(
          'click',
          () => void this.#demo.conflicts.resolve(conflict.id as never, 'discard'),
        );
        retry.addEventListener(
          'click',
          () => void this.#demo.conflicts.resolve(conflict.id as never, 'retry'),
        );
        return make(
          'li',
          {},
          `${conflict.table}: ${conflict.reason} (${conflict.code})`,
          retry,
          discard,
        );
      }),
    );
  }
}
