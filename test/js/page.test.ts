/** The events of a window's life, derived from the events of a browser. */
import { afterEach, expect, test, vi } from 'vitest';
import { browserPage, type PageEvent } from '../../js/host/page.ts';

afterEach(() => vi.unstubAllGlobals());

/** As in a browser: first those that capture, then those to which the event bubbles, each list as it is then. */
class Target {
  readonly #listeners: {
    name: string;
    fn: (event: Event) => void;
    capture: boolean;
    once: boolean;
  }[] = [];

  addEventListener(
    name: string,
    fn: (event: Event) => void,
    options: AddEventListenerOptions = {},
  ) {
    const { capture = false, once = false } = options;
    this.#listeners.push({ name, fn, capture, once });
  }

  removeEventListener(
    name: string,
    fn: (event: Event) => void,
    options: EventListenerOptions = {},
  ) {
    const { capture = false } = options;
    const at = this.#listeners.findIndex(
      (each) => each.name === name && each.fn === fn && each.capture === capture,
    );
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  dispatchEvent(event: Event): boolean {
    for (const capture of [true, false])
      for (const each of this.#listeners.filter((one) => one.capture === capture)) {
        if (each.name !== event.type) continue;
        if (each.once) this.#listeners.splice(this.#listeners.indexOf(each), 1);
        each.fn(event);
      }
    return true;
  }
}

test('every event of the page is reported unchanged, and none after the end', () => {
  const document = Object.assign(new Target(), { visibilityState: 'hidden' });
  const window = new Target();
  vi.stubGlobal('document', document);
  vi.stubGlobal('window', window);
  const heard: PageEvent[] = [];
  const stop = browserPage.on((event) => heard.push(event));
  const send = () => {
    for (const name of ['visibilitychange', 'freeze', 'resume'])
      document.dispatchEvent(new Event(name));
    for (const name of ['online', 'offline']) window.dispatchEvent(new Event(name));
    for (const name of ['pagehide', 'pageshow'])
      for (const persisted of [false, true])
        window.dispatchEvent(Object.assign(new Event(name), { persisted }));
  };
  send();
  expect(heard).toEqual([
    { type: 'visibility', visible: false },
    { type: 'freeze' },
    { type: 'still' },
    { type: 'resume' },
    { type: 'online', online: true },
    { type: 'online', online: false },
    { type: 'pagehide', persisted: false },
    { type: 'still' },
    // Into the back/forward cache.
    { type: 'pagehide', persisted: true },
    { type: 'still' },
    { type: 'pageshow', persisted: false },
    { type: 'pageshow', persisted: true },
  ]);
  stop();
  send();
  expect(heard).toHaveLength(12);
});

// Engines say different things of a page that is put aside.
test.each([
  ['Chromium', true, ['pagehide', 'visibilitychange', 'freeze']],
  ['Firefox and WebKit', false, ['pagehide', 'visibilitychange']],
  ['a page that was hidden before', false, ['pagehide']],
])('%s: a page stands still after the last handler of the application', (_, freezes, names) => {
  const visibilityState = names.includes('visibilitychange') ? 'visible' : 'hidden';
  const document = Object.assign(new Target(), { visibilityState });
  const window = new Target();
  vi.stubGlobal('document', freezes ? Object.assign(document, { onfreeze: null }) : document);
  vi.stubGlobal('window', window);
  const order: string[] = [];
  const stop = browserPage.on(({ type }) => order.push(type));
  for (const target of [document, window])
    for (const name of names) target.addEventListener(name, () => order.push(`app: ${name}`));
  const send = (target: EventTarget, name: string) =>
    target.dispatchEvent(Object.assign(new Event(name), { persisted: true }));
  for (let i = 0; i < 2; i++) {
    order.length = 0;
    for (const name of names) {
      // The event of a document bubbles to its window, which no EventTarget of Node does.
      if (name !== 'pagehide') send(document, name);
      if (name !== 'freeze') send(window, name);
      document.visibilityState = names.includes('visibilitychange') ? 'hidden' : visibilityState;
    }
    expect(order.filter((each) => each === 'still')).toHaveLength(1);
    expect(order.at(-1)).toBe('still');
    expect(order.at(-2)).toBe(`app: ${names.at(-1)}`);
    document.visibilityState = visibilityState;
  }
  stop();
});
