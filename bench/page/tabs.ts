// Two windows: a write in one until a live query of the other tells of it.
import { topOf } from './cities.ts';
import { db } from './database.ts';
import { median, timesOf } from './measure.ts';
import { checkStored } from './stored.ts';

const COUNTRY = 'PT';
const CHANNEL = 'bench';

interface Said {
  readonly saw?: number | undefined;
  readonly pong?: number;
}

/** The second window: says on a channel of its own what its live query tells, and echoes. */
export function observe(): Promise<void> {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    if (data.ping !== undefined) channel.postMessage({ pong: data.ping });
  };
  return new Promise((resolve) => {
    topOf(COUNTRY).subscribe((rows) => {
      channel.postMessage({ saw: rows[0]?.population });
      resolve();
    });
  });
}

/** Here a write, there a subscriber that says so on a channel; beside the round trip of the channel alone. */
export async function crossTab(count: number) {
  if (document.visibilityState !== 'visible') throw new Error('this window is hidden');
  const channel = new BroadcastChannel(CHANNEL);
  let hear: (said: Said) => void = () => {};
  channel.onmessage = ({ data }) => hear(data);
  const answered = (is: (said: Said) => boolean) =>
    new Promise<void>((resolve) => {
      hear = (said) => {
        if (is(said)) resolve();
      };
    });
  const floor = await timesOf(count, (i) => {
    const done = answered(({ pong }) => pong === i);
    channel.postMessage({ ping: i });
    return done;
  });
  const first = topOf(COUNTRY).first();
  if (!first) throw new Error('no city');
  const ours: number[] = [];
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const population = 6e7 + i;
    const start = performance.now();
    const done = answered(({ saw }) => saw === population);
    const { id, durable } = db.transact((tx) => tx.cities.update(first.id, { population }));
    await done;
    ours.push(performance.now() - start);
    await durable;
    ids.push(id);
  }
  await checkStored(ids.slice(-10));
  channel.close();
  return { ours: median(ours), floor: median(floor) };
}
