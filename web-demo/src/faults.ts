// "Break something": what makes things go wrong by hand, on the way to the server, in this window's worker, storage and clock, and in
// the service worker. Each says what will happen before it is pressed, and what has happened afterwards, as this window sees it.
// What a page cannot do is left to its user: close the tab, kill the browser, pull the plug.
import type { SyncStatus } from 'skerry';
import { type Cut, CutRequests } from './cut-requests.js';
import type { Demo } from './database.js';
import { byId, formatTime, make } from './dom.js';
import { freezeWorker } from './freeze.js';

/** Says what has happened; the text stands until the next one. */
type Say = (text: string) => void;
type Turn = (on: boolean, say: Say) => void;

interface Fault {
  readonly id: string;
  readonly label: string;
  readonly will: string;
  /** A button's: it is pressed. */
  press?(say: Say): void;
  /** A switch's: it is turned on or off. */
  readonly turn?: Turn;
}

const DAY_MS = 24 * 3600_000;
const now = () => formatTime(new Date());
function waiting(count: number): string {
  if (count === 0) return 'Nothing waits';
  return count === 1 ? 'One change waits' : `${count} changes wait`;
}

/** Says what follows from the status, now and whenever it changes, until it returns null. */
function follow(demo: Demo, words: (status: SyncStatus) => string | null, say: Say): () => void {
  let isOver = false;
  const look = (status: SyncStatus) => {
    const text = isOver ? null : words(status);
    if (text !== null) say(text);
    else if (!isOver) end();
  };
  const stop = demo.sync.subscribe(() => look(demo.sync.status));
  const end = () => {
    isOver = true;
    queueMicrotask(() => stop());
  };
  look(demo.sync.status);
  return end;
}

/** A request to the server fails once: it is said when it did, and when what it carried has come through. */
function cut(demo: Demo, requests: CutRequests, fault: Cut, broke: string, healed: string) {
  return (say: Say) => {
    if (!requests.arm(fault, broken)) {
      say('There is no service worker here, and the cut is made in it. Load the page again.');
      return;
    }
    say('Waits for the next push: change something, for example like a city.');
    function broken(): void {
      const at = now();
      // Of changes that a rule holds back some stay.
      const before = demo.sync.status.pending;
      follow(
        demo,
        ({ pending }) => {
          if (pending > 0 && pending >= before) return `${at}: ${broke}`;
          say(`${at}: ${broke} ${now()}: ${healed}`);
          return null;
        },
        say,
      );
    }
  };
}

function freeze(demo: Demo): Turn {
  let stop = () => {};
  return (on, say) => {
    freezeWorker(demo, on);
    stop();
    if (!on) {
      say(`${now()}: it goes on where it stood.`);
      return;
    }
    const at = now();
    const words = ({ mode, pending }: SyncStatus) => {
      if (pending > 0) return `Frozen since ${at}. ${waiting(pending)}, stored in this browser.`;
      const who = mode === 'service-worker' ? 'the service worker pushes' : 'another window pushes';
      return `Frozen since ${at}. Nothing waits: if there is something, ${who}.`;
    };
    stop = follow(demo, words, say);
  };
}

/** IndexedDB of this window says that there is no room, as an engine does. */
function fillStorage(): Turn {
  let refused: (() => void) | null = null;
  for (const name of ['add', 'put'] as const) {
    const write = IDBObjectStore.prototype[name];
    IDBObjectStore.prototype[name] = function (...args) {
      if (refused === null) return write.apply(this, args);
      refused();
      throw new DOMException('The demo says that storage is full.', 'QuotaExceededError');
    };
  }
  return (on, say) => {
    refused = on
      ? () => say(`${now()}: a change did not fit, and was taken back. All else is as it was.`)
      : null;
    say(on ? 'It is full: change something in this window.' : `${now()}: there is room again.`);
  };
}

/** This window's clock is a day ahead. */
function shiftClock(demo: Demo): Turn {
  let shift = 0;
  let stop = () => {};
  const real = Date.now.bind(Date);
  Date.now = () => real() + shift;
  return (on, say) => {
    shift = on ? DAY_MS : 0;
    stop();
    if (!on) {
      say(`${now()}: the clock is right again.`);
      return;
    }
    const date = new Date(Date.now()).toLocaleDateString('en-GB');
    stop = follow(
      demo,
      ({ pending, lastSyncedAt }) =>
        `For this window it is ${date}. ${waiting(pending)}. Last sync: ${lastSyncedAt ? formatTime(lastSyncedAt) : 'never'}.`,
      say,
    );
  };
}

/** What pushes after the service worker has gone. */
function withoutService(demo: Demo, gone: string, say: Say): void {
  const at = now();
  if (demo.sync.status.mode === 'lease') {
    say(`${at}: ${gone} The windows push here, as before.`);
    return;
  }
  follow(
    demo,
    ({ mode }) => {
      if (mode === 'service-worker') return `${at}: ${gone} Change something, and wait.`;
      say(`${at}: ${gone} ${now()}: the windows push now.`);
      return null;
    },
    say,
  );
}

function faultsOf(demo: Demo): readonly Fault[] {
  const requests = new CutRequests();
  const registration = async () => navigator.serviceWorker?.getRegistration();
  return [
    {
      id: 'fault-cut',
      label: 'Cut the next push before the server',
      will: 'The connection ends before the server has anything, as in a tunnel. The push is sent again, and counts once.',
      press: cut(
        demo,
        requests,
        'cut-push',
        'the push was cut, and the server has seen nothing of it. It is sent again within seconds.',
        'sent again. The server has it, once.',
      ),
    },
    {
      id: 'fault-lose',
      label: 'Lose the answer to the next push',
      will: 'The server applies the push, and this browser never hears of it. The push is sent again, and counts once.',
      press: cut(
        demo,
        requests,
        'lose-answer',
        'the server has applied the push, and its answer was lost. It is sent again within seconds.',
        'sent again. The server knew it, and has counted it once.',
      ),
    },
    {
      id: 'fault-freeze',
      label: 'Freeze this window’s push worker',
      will: 'It stops between two steps, as in a page that a phone has put to sleep. The service worker or another window pushes for it.',
      turn: freeze(demo),
    },
    {
      id: 'fault-full',
      label: 'This window’s storage is full',
      will: 'The next change of this window is refused and taken back, with a message. What is stored stays.',
      turn: fillStorage(),
    },
    {
      id: 'fault-clock',
      label: 'This window’s clock is a day ahead',
      will: 'Changes are pushed as ever, and get the time of the server. No change wins because of a clock.',
      turn: shiftClock(demo),
    },
    {
      id: 'fault-silence',
      label: 'Silence the service worker',
      will: 'It answers no more, like one that hangs. After some twenty seconds the windows push themselves.',
      async press(say) {
        const worker = (await registration())?.active;
        if (!worker) {
          say('There is no service worker here: the windows push.');
          return;
        }
        worker.postMessage('silence');
        withoutService(demo, 'it was silenced.', say);
      },
    },
    {
      id: 'fault-unregister',
      label: 'Unregister the service worker',
      will: 'The browser forgets it: the windows push, and this page cannot be loaded offline. The next load registers it again.',
      async press(say) {
        const found = await registration();
        if (found) await found.unregister();
        withoutService(demo, found ? 'it was unregistered.' : 'there was none.', say);
      },
    },
  ];
}

function control({ id, label, will, press, turn }: Fault): HTMLElement {
  const described = { id, 'aria-describedby': `${id}-will` };
  const did = make('p', { role: 'status', id: `${id}-did` });
  const say: Say = (text) => {
    if (did.textContent !== text) did.textContent = text;
  };
  const box = make('input', { type: 'checkbox', ...described });
  box.addEventListener('change', () => turn?.(box.checked, say));
  const button = make('button', { type: 'button', ...described }, label);
  button.addEventListener('click', () => press?.(say));
  return make(
    'div',
    { class: 'fault' },
    turn ? make('label', { class: 'switch' }, box, label) : button,
    make('p', { class: 'muted', id: `${id}-will` }, will),
    did,
  );
}

export function wireFaults(demo: Demo): void {
  byId('faults-list').append(...faultsOf(demo).map(control));
}
