/** What a window is told about its life, out of the events of a browser. */
import { afterEach, expect, test, vi } from 'vitest';
import { browserPage, type PageEvent } from '../../js/host/page.ts';

afterEach(() => vi.unstubAllGlobals());

test('every event of the page is told as it is, and none after the end', () => {
  const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
  const window = new EventTarget();
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
    { type: 'resume' },
    { type: 'online', online: true },
    { type: 'online', online: false },
    { type: 'pagehide', persisted: false },
    // Into the back/forward cache.
    { type: 'pagehide', persisted: true },
    { type: 'pageshow', persisted: false },
    { type: 'pageshow', persisted: true },
  ]);
  stop();
  send();
  expect(heard).toHaveLength(9);
});
