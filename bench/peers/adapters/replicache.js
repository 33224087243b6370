// Its rows come from a server: the bulk is the answer to its first pull. A mutation is in memory, and stored by `persist`
// about a second later; by default an update here waits for that, VARIANT `native` does not.
import { TEST_LICENSE_KEY } from 'replicache';
import { ReplicacheImpl } from 'replicache/impl';

const PAUSE_MS = 5;
let replicache;
let staged = null;
let persisting = null;
let next = null;
let persist;

/** `persist` must not run twice at a time; those who ask while it runs share the next one. */
function persisted() {
  next ??= (async () => {
    await null;
    while (persisting) await persisting;
    next = null;
    persisting = persist().finally(() => {
      persisting = null;
    });
    await persisting;
  })();
  return next;
}
const durable = () => (VARIANT === 'native' ? undefined : persisted());

async function puller({ cookie }) {
  const patch = staged ?? [];
  const answer = { cookie: staged ? 1 : cookie, lastMutationIDChanges: {}, patch };
  staged = null;
  return { response: answer, httpRequestInfo: { httpStatusCode: 200, errorMessage: '' } };
}

const inCountry = (tx, country) => tx.scan({ indexName: 'countries', prefix: country });
const topIn = async (tx, country, count) =>
  (await inCountry(tx, country).values().toArray())
    .sort((a, b) => b.population - a.population)
    .slice(0, count);

export default {
  async open() {
    replicache = new ReplicacheImpl({
      name: 'bench',
      licenseKey: TEST_LICENSE_KEY,
      logLevel: 'error',
      schemaVersion: '1',
      pullInterval: null,
      puller,
      indexes: { countries: { jsonPointer: '/country', allowEmpty: true } },
      mutators: {
        async update(tx, { id, patch }) {
          await tx.set(`cities/${id}`, { ...(await tx.get(`cities/${id}`)), ...patch });
        },
      },
    });
    persist = replicache.persist.bind(replicache);
    replicache.persist = persisted;
    await replicache.clientID;
  },
  async bulk(rows) {
    staged = rows.map((value) => ({ op: 'put', key: `cities/${value.id}`, value }));
    await replicache.pull({ now: true });
    while (staged) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    await replicache.query((tx) => tx.get('nothing'));
    await persisted();
  },
  count: (country) =>
    replicache.query(async (tx) => (await inCountry(tx, country).keys().toArray()).length),
  get: (id) => replicache.query((tx) => tx.get(`cities/${id}`)),
  async update(id, patch) {
    await replicache.mutate.update({ id, patch });
    await durable();
  },
  async updateMany(list) {
    await Promise.all(list.map(([id, patch]) => replicache.mutate.update({ id, patch })));
    await durable();
  },
  top: (country, count) => replicache.query((tx) => topIn(tx, country, count)),
  live: (country, count, told) =>
    replicache.subscribe((tx) => topIn(tx, country, count), { onData: told }),
};
