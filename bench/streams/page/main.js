// The workloads on streams. The system is in the address: ?system=<folder>.
const system = new URL(location.href).searchParams.get('system');
const { default: adapter } = await import(`./${system}/adapter.js`);

const kPauseMs = 1;
const pause = () => new Promise((resolve) => setTimeout(resolve, kPauseMs));
const item = (n) => ({ type: 'said', n, text: `the line number ${n} of a chat` });
const sum = ({ count, total }, { n }) => ({ count: count + 1, total: total + n });

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

globalThis.bench = {
  open: () => timed(() => adapter.open()),
  /** Appends, one after the other, each durable; ms each. */
  async appends(from, count) {
    const times = [];
    for (let n = from; n < from + count; n++) {
      await pause();
      times.push(await timed(() => adapter.append(item(n))));
    }
    return times;
  },
  /** Appends at once, until all are durable, ms. */
  appendMany: (from, count) =>
    timed(() => adapter.appendMany(Array.from({ length: count }, (_, i) => item(from + i)))),
  /** Appends so many, as an import does, until all are durable, ms. */
  fill: (count) => timed(() => adapter.fill(Array.from({ length: count }, (_, i) => item(i)))),
  last: async () => (await adapter.last())?.n ?? null,
  /** Answers each item that it is told of. */
  observe() {
    const channel = new BroadcastChannel('bench');
    channel.onmessage = ({ data }) => {
      if (data.ping) channel.postMessage({ n: data.ping });
    };
    adapter.live((last) => {
      if (last !== undefined) channel.postMessage({ n: last.n });
    });
  },
  /** Appends until the other window has answered; ms each, and those of a message there and back. */
  async cross(from, count) {
    const channel = new BroadcastChannel('bench');
    const answered = (wanted) =>
      new Promise((resolve) => {
        channel.onmessage = ({ data }) => {
          if (data.n === wanted) resolve();
        };
      });
    const times = [];
    const floors = [];
    for (let n = from; n < from + count; n++) {
      await pause();
      const seen = answered(n);
      const start = performance.now();
      const written = adapter.append(item(n));
      await seen;
      times.push(performance.now() - start);
      await written;
      await pause();
      const echoed = answered(-n);
      floors.push(
        await timed(() => {
          channel.postMessage({ ping: -n });
          return echoed;
        }),
      );
    }
    return { times, floors };
  },
  /** Opens, and folds a stream into a state; ms, and the state. */
  async fold(name) {
    let state;
    const ms = await timed(async () => {
      await adapter.open();
      state = await adapter.folded(name, sum, { count: 0, total: 0 });
    });
    return { ms, count: state.count };
  },
  /** Opens until the last items are here; ms, and the last one. */
  async newcomer() {
    const ms = await timed(async () => {
      await adapter.open();
      await adapter.ready();
    });
    return { ms, last: (await adapter.last())?.n };
  },
  kept: (count) => adapter.kept(count),
  close: () => adapter.close(),
  /** Dispatches, one after the other; the median of rounds, µs each, and until all is stored, ms. */
  async dispatches(rounds, count) {
    const each = [];
    const all = [];
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      for (let n = 0; n < count; n++) adapter.dispatch(item(n));
      each.push(((performance.now() - start) * 1000) / count);
      await adapter.stored();
      all.push(performance.now() - start);
      await pause();
    }
    return { each, all, count: await adapter.count() };
  },
};
