// Group commit by hand: what comes while one group is written is the next.

const kMost = 256;

/** Gives a function that hands items to `flush`, as many at once as have come, and resolves with each when it is written. */
export function grouped(flush) {
  const waiting = [];
  let running = false;

  async function run() {
    running = true;
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const group = waiting.splice(0, kMost);
      await flush(group.map(({ item }) => item)).then(
        () => {
          for (const { resolve, item } of group) resolve(item);
        },
        (error) => {
          for (const { reject } of group) reject(error);
        },
      );
    }
    running = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!running) void run();
    });
}
