// The demo page: wires the list, the detail, the groups, the shared lists, what is wrong, the inbox and the sync panel to one
// database.
import { CityDetail } from './city-detail.js';
import { CityList } from './city-list.js';
import { openDemo, user } from './database.js';
import { byId } from './dom.js';
import { wireFaults } from './faults.js';
import { FirstRows } from './first-rows.js';
import { Groups } from './groups.js';
import { showInbox } from './inbox.js';
import { Lists } from './lists.js';
import { ProblemList } from './problem-list.js';
import { SyncPanel } from './sync-panel.js';
import { wireUndo } from './undo.js';

function showTab(name: string): void {
  for (const tab of document.querySelectorAll<HTMLButtonElement>('[role=tab]')) {
    const mine = tab.dataset['tab'] === name;
    tab.setAttribute('aria-selected', String(mine));
    tab.tabIndex = mine ? 0 : -1;
    byId(`tab-${tab.dataset['tab']}`).hidden = !mine;
  }
  byId('city-detail').hidden = name !== 'cities';
}

function wireTabs(): void {
  const tabs = [...document.querySelectorAll<HTMLButtonElement>('[role=tab]')];
  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener('click', () => showTab(tab.dataset['tab'] ?? ''));
    tab.addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      const next = tabs[(i + step + tabs.length) % tabs.length];
      if (step && next) {
        next.focus();
        showTab(next.dataset['tab'] ?? '');
      }
    });
  }
}

async function start(): Promise<void> {
  wireTabs();
  byId('user').textContent = user;
  if ('serviceWorker' in navigator) {
    navigator.serviceWorker
      .register('/sw.js', { updateViaCache: 'none' })
      .catch((error: unknown) => {
        byId('sync-error').textContent = `Reloading offline will not work here: ${String(error)}`;
      });
  }
  const demo = await openDemo();
  new FirstRows(demo);
  const detail = new CityDetail(demo, (id) => select(id));
  const list = new CityList(demo, (id) => select(id));
  const select = (id: string) => {
    list.select(id);
    detail.show(id);
  };
  const groups = new Groups(demo);
  new Lists(demo);
  new ProblemList(demo, ({ table, id }) => {
    showTab(table);
    if (table === 'groups') groups.focus(id);
    else {
      select(id);
      detail.focus();
    }
  });
  showInbox(demo);
  wireUndo(demo);
  new SyncPanel(demo);
  wireFaults(demo);
  // For people at the console, and for the tests that drive this page.
  Object.assign(globalThis, { demo });
  document.documentElement.dataset['ready'] = '';
}

start().catch((error: unknown) => {
  byId('sync-error').textContent =
    `The database did not open: ${error instanceof Error ? error.message : String(error)}`;
  document.documentElement.dataset['failed'] = '';
});
