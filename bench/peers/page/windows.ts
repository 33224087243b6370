// Two windows: a change in one until a live query of the other tells of it. Their clocks are compared first, by the
// fastest of some messages there and back.
import { median } from '../../page/measure.ts';
import { adapter } from './adapter.ts';
import { COUNTRY } from './data.ts';
import { heard, pause } from './workloads.ts';

const CHANNEL = 'bench';
const TOP = 50;
const CHANGES = 200;
const PINGS = 50;
const SETTLED_MS = 1000;
/** No city has as many people: what is above was written here. */
const ABOVE = 6e7;

interface Said {
  readonly ping?: number;
  readonly pong?: number;
  readonly saw?: number;
  readonly at: number;
}

const now = () => performance.timeOrigin + performance.now();

/** The window that listens. */
export async function observe(): Promise<void> {
  if (!adapter.live) throw new Error('it has no live queries');
  await adapter.observer?.();
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<Said>) => {
    if (data.ping !== undefined) channel.postMessage({ pong: data.ping, at: now() });
  };
  let last = 0;
  await adapter.live(COUNTRY, TOP, (rows) => {
    const saw = rows[0]?.population ?? 0;
    if (saw < ABOVE || saw === last) return;
    last = saw;
    channel.postMessage({ saw, at: now() });
  });
  await pause(SETTLED_MS);
}

/** The window that writes; in ms. */
export async function cross(capMs: number): Promise<number> {
  const channel = new BroadcastChannel(CHANNEL);
  let hear: (said: Said) => void = () => {};
  channel.onmessage = ({ data }: MessageEvent<Said>) => hear(data);
  const answer = (is: (said: Said) => boolean) =>
    new Promise<number>((resolve) => {
      hear = (said) => {
        if (is(said)) resolve(said.at);
      };
    });
  let fastest = Number.POSITIVE_INFINITY;
  let ahead = 0;
  for (let ping = 0; ping < PINGS; ping++) {
    const start = now();
    const echoed = answer(({ pong }) => pong === ping);
    channel.postMessage({ ping, at: start });
    const at = await heard(`ping ${ping}`, echoed);
    const took = now() - start;
    if (took < fastest) {
      fastest = took;
      ahead = at - (start + took / 2);
    }
  }
  const [largest] = await adapter.top(COUNTRY, 1);
  if (!largest) throw new Error('no city');
  const times: number[] = [];
  const end = performance.now() + capMs;
  for (let i = 0; i < CHANGES && performance.now() < end; i++) {
    await pause();
    const population = ABOVE + i;
    const seen = answer(({ saw }) => saw === population);
    const start = now();
    const written = adapter.update(largest.id, { population });
    times.push((await heard(`change ${i}`, seen)) - ahead - start);
    await written;
  }
  channel.close();
  return median(times);
}
