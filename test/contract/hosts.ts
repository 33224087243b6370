/** The contracts of the smaller hosts: channel, timers, clock, random, locks. */
import type { ChannelHost } from '../../js/host/channel.ts';
import type { Clock } from '../../js/host/clock.ts';
import type { Locks } from '../../js/host/locks.ts';
import type { Random } from '../../js/host/random.ts';
import type { Timers } from '../../js/host/timers.ts';
import { type ContractCase, equal, ok, signal } from './check.ts';

export function channelContract(name: string, make: () => ChannelHost): ContractCase[] {
  const unique = () => `contract-${Math.random().toString(36).slice(2)}`;
  return [
    {
      name: `${name}: a message reaches every other member, in order, not its sender`,
      async run() {
        const host = make();
        const channel = unique();
        const own: unknown[] = [];
        const heard: unknown[][] = [[], []];
        const both = [signal(), signal()];
        const members = heard.map((list, i) =>
          host.open(channel, (message) => {
            list.push(message);
            if (list.length === 3) both[i]?.fire();
          }),
        );
        const sender = host.open(channel, (message) => own.push(message));
        for (const n of [1, 2, 3]) sender.post({ n });
        equal(heard, [[], []], 'before post has returned');
        await Promise.all(both.map(({ promise }) => promise));
        equal(heard, [
          [{ n: 1 }, { n: 2 }, { n: 3 }],
          [{ n: 1 }, { n: 2 }, { n: 3 }],
        ]);
        equal(own, [], 'the sender’s own');
        for (const member of [...members, sender]) member.close();
      },
    },
    {
      name: `${name}: a closed member hears nothing, and other names are apart`,
      async run() {
        const host = make();
        const channel = unique();
        const heard: unknown[] = [];
        const done = signal();
        const closed = host.open(channel, (message) => heard.push(message));
        const apart = host.open(`${channel}-other`, (message) => heard.push(message));
        const open = host.open(channel, () => done.fire());
        const sender = host.open(channel, () => {});
        closed.close();
        sender.post('x');
        await done.promise;
        equal(heard, []);
        for (const member of [apart, open, sender]) member.close();
      },
    },
  ];
}

/** `pass` lets at least so many milliseconds go by. */
export function timersContract(
  name: string,
  make: () => { timers: Timers; pass: (ms: number) => Promise<void> },
): ContractCase[] {
  return [
    {
      name: `${name}: a timer runs once, a replaced or cancelled one never`,
      async run() {
        const { timers, pass } = make();
        const ran: string[] = [];
        timers.set('a', 5, () => ran.push('a first'));
        timers.set('a', 10, () => ran.push('a'));
        timers.set('b', 5, () => ran.push('b'));
        timers.cancel('b');
        timers.cancel('never set');
        await pass(60);
        equal(ran, ['a']);
      },
    },
    {
      name: `${name}: a callback may set its own name again, and clear ends all`,
      async run() {
        const { timers, pass } = make();
        let runs = 0;
        const again = () => {
          runs++;
          if (runs < 3) timers.set('a', 1, again);
        };
        timers.set('a', 1, again);
        // On a machine that stood still, timers that are due run in one go, and what they set comes after.
        for (let i = 0; runs < 3 && i < 100; i++) await pass(20);
        equal(runs, 3);
        timers.set('x', 5, () => runs++);
        timers.clear();
        await pass(40);
        equal(runs, 3, 'runs after clear');
      },
    },
  ];
}

export function clockContract(
  name: string,
  make: () => { clock: Clock; pass: (ms: number) => Promise<void> },
): ContractCase[] {
  return [
    {
      name: `${name}: monotonic time goes forward by what passes`,
      async run() {
        const { clock, pass } = make();
        const mono = clock.mono();
        await pass(20);
        ok(clock.mono() - mono >= 19, 'at least 19 ms to have passed');
        ok(clock.now() > Date.UTC(2020, 0, 1), 'wall time in ms since 1970');
      },
    },
  ];
}

export function randomContract(name: string, make: () => Random): ContractCase[] {
  return [
    {
      name: `${name}: as many bytes as asked for, and others each time`,
      async run() {
        const random = make();
        equal(random.bytes(32).length, 32);
        const [first, second] = [random.bytes(16), random.bytes(16)];
        ok(first.join() !== second.join(), 'two different draws');
      },
    },
  ];
}

export function locksContract(name: string, make: () => Locks): ContractCase[] {
  const unique = () => `contract-${Math.random().toString(36).slice(2)}`;
  return [
    {
      name: `${name}: one holder; the next gets it on release`,
      async run() {
        const locks = make();
        const key = unique();
        const first = await locks.acquire(key);
        equal(await locks.acquire(key, { ifAvailable: true }), null);
        let granted = false;
        const second = locks.acquire(key).then((lock) => {
          granted = true;
          return lock;
        });
        await Promise.resolve();
        equal(granted, false, 'granted while held');
        first?.release();
        (await second)?.release();
        // Not with ifAvailable: browsers release a moment after the call.
        const third = await locks.acquire(key);
        ok(third, 'the lock after both were released');
        third.release();
      },
    },
    {
      name: `${name}: shared, it has many holders; and it is held until the last of them releases it`,
      async run() {
        const locks = make();
        const key = unique();
        equal(await locks.isHeld(key), false, 'held by no client');
        const first = await locks.acquire(key, { mode: 'shared' });
        const second = await locks.acquire(key, { mode: 'shared' });
        first?.release();
        equal(await locks.isHeld(key), true, 'held by the second');
        equal(await locks.acquire(key, { ifAvailable: true }), null);
        let granted = false;
        const alone = locks.acquire(key).then((lock) => {
          granted = true;
          return lock;
        });
        await Promise.resolve();
        equal(granted, false, 'granted while shared');
        second?.release();
        const third = await alone;
        ok(third, 'the lock after both were released');
        equal(await locks.acquire(key, { mode: 'shared', ifAvailable: true }), null);
        const fourth = locks.acquire(key, { mode: 'shared' });
        third.release();
        (await fourth)?.release();
      },
    },
    {
      name: `${name}: stealing notifies the holder, whose release then frees nothing`,
      async run() {
        const locks = make();
        const key = unique();
        const first = await locks.acquire(key);
        const thief = await locks.acquire(key, { steal: true });
        await first?.lost;
        first?.release();
        equal(await locks.acquire(key, { ifAvailable: true }), null, 'the stolen lock is held');
        thief?.release();
      },
    },
    {
      name: `${name}: waiting can be given up`,
      async run() {
        const locks = make();
        const key = unique();
        const holder = await locks.acquire(key);
        const stop = new AbortController();
        const waiting = locks.acquire(key, { signal: stop.signal });
        stop.abort();
        equal(await waiting, null);
        holder?.release();
        const next = await locks.acquire(key);
        ok(next, 'the lock, which no client waits for any more');
        next.release();
      },
    },
  ];
}
