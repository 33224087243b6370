/** A window on its way to a service worker: it must know soon which side pushes, whatever becomes of the registration. */
import { ManualTime, memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { ServiceMode } from '../../js/api/service-mode.ts';
import type { ServiceHost, ServiceLink } from '../../js/host/service-link.ts';
import { turn } from './support.ts';

function modeWith(services: ServiceHost | null) {
  const time = new ManualTime();
  const onState = vi.fn();
  const host = { ...memory({ time }), services };
  const mode = new ServiceMode({
    host,
    database: 'skerry/test/anna',
    version: 1,
    url: true,
  });
  return { mode, time, onState };
}

const linkOf = (): ServiceLink => ({ wake() {}, changed() {}, pause: vi.fn(), close: vi.fn() });

test('the window pushes where a registration does not end', async () => {
  const { mode, time, onState } = modeWith(() => new Promise(() => {}));
  let known = false;
  void mode.begin(onState).then(() => {
    known = true;
  });
  await turn();
  expect(known).toBe(false);
  time.advance(1000);
  await turn();
  expect(known).toBe(true);
  expect(mode.link).toBeNull();
  expect(mode.state).toEqual({
    active: false,
    reason: 'the service worker is being registered',
  });
});

test('a late registration is used, unless the window was closed meanwhile', async () => {
  for (const closed of [false, true]) {
    const link = linkOf();
    let end: (link: ServiceLink) => void = () => {};
    const registered = new Promise<ServiceLink>((resolve) => {
      end = resolve;
    });
    const { mode, time, onState } = modeWith(() => registered);
    const begun = mode.begin(onState);
    time.advance(1000);
    await begun;
    if (closed) mode.close();
    end(link);
    await registered;
    expect(mode.link).toBe(closed ? null : link);
    expect(link.close).toHaveBeenCalledTimes(closed ? 1 : 0);
  }
});

test('a pause of before the registration is shown to the service worker, too', async () => {
  const link = linkOf();
  const { mode, onState } = modeWith(async () => link);
  mode.pause(true);
  await mode.begin(onState);
  expect(link.pause).toHaveBeenLastCalledWith(true);
  mode.pause(false);
  expect(link.pause).toHaveBeenLastCalledWith(false);
});

test('a failed registration is reported with its reason', async () => {
  const { mode, onState } = modeWith(() => Promise.reject(new Error('refused by the test')));
  await mode.begin(onState);
  expect(mode.state).toEqual({ active: false, reason: 'refused by the test' });
  expect(onState).toHaveBeenCalledWith(mode.state);
});
