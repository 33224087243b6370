// Floor: rows in a Map, stored as a snapshot of JSON texts and a log of changes. VARIANT: `strict` and `relaxed` write each
// change in a transaction of its own; `group` is relaxed, and changes made while one is under way share the next.
import { committed, opened, settled } from './indexeddb.js';

const CHUNK = 1000;
const durability = VARIANT === 'strict' ? 'strict' : 'relaxed';
const channel = new BroadcastChannel('floor-idblog');
const rows = new Map();
const countries = new Map();
const listeners = new Set();

let db;
function keep(row) {
  rows.set(row.id, row);
  let country = countries.get(row.country);
  if (!country) {
    country = new Map();
    countries.set(row.country, country);
  }
  country.set(row.id, row);
}
function apply({ id, patch }) {
  const row = { ...rows.get(id), ...patch };
  keep(row);
  for (const listener of listeners) listener(row.country);
}
channel.onmessage = ({ data }) => apply(data);

function append(changes) {
  const transaction = db.transaction('log', 'readwrite', { durability });
  const log = transaction.objectStore('log');
  for (const change of changes) log.add(change);
  return committed(transaction);
}

let waiting = null;
let under = null;
async function appendWaiting() {
  while (under) await under;
  const { changes } = waiting;
  waiting = null;
  under = append(changes).finally(() => {
    under = null;
  });
  await under;
}
function grouped(change) {
  if (!waiting) {
    waiting = { changes: [] };
    waiting.done = Promise.resolve().then(appendWaiting);
  }
  waiting.changes.push(change);
  return waiting.done;
}
const logged = VARIANT === 'group' ? grouped : (change) => append([change]);

const top = (country, count) =>
  [...(countries.get(country)?.values() ?? [])]
    .sort((a, b) => b.population - a.population)
    .slice(0, count);

export default {
  async open() {
    db = await opened((made) => {
      made.createObjectStore('snapshot');
      made.createObjectStore('log', { autoIncrement: true });
    });
    const transaction = db.transaction(['snapshot', 'log']);
    const [chunks, changes] = await Promise.all(
      ['snapshot', 'log'].map((name) => settled(transaction.objectStore(name).getAll())),
    );
    for (const chunk of chunks) for (const row of JSON.parse(chunk)) keep(row);
    for (const change of changes) apply(change);
  },
  async bulk(list) {
    for (const row of list) keep(row);
    const transaction = db.transaction('snapshot', 'readwrite', { durability });
    const snapshot = transaction.objectStore('snapshot');
    for (let at = 0; at < list.length; at += CHUNK)
      snapshot.put(JSON.stringify(list.slice(at, at + CHUNK)), at);
    await committed(transaction);
  },
  count: async (country) => countries.get(country)?.size ?? 0,
  get: async (id) => rows.get(id),
  getSync: (id) => rows.get(id),
  async update(id, patch) {
    const change = { id, patch, at: Date.now() };
    apply(change);
    channel.postMessage(change);
    await logged(change);
  },
  top: async (country, count) => top(country, count),
  live(country, count, told) {
    const listener = (changed) => {
      if (changed === country) queueMicrotask(() => told(top(country, count)));
    };
    listeners.add(listener);
    listener(country);
    return () => listeners.delete(listener);
  },
};
