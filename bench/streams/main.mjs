// `npm run bench -- streams [--rounds 3]`: actions. Appends and cold starts beside LiveStore's event log over OPFS, and a Y.Array with
// y-indexeddb; a newcomer to a stream of 100,000 actions, with a snapshot of the server's and without one; dispatches of a Redux store,
// bare, with the enhancer, and with redux-persist. All in one go, round after round.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from '../../tools/lib/paths.mjs';
import { Browser } from '../lib/browser.mjs';
import { digits, markdown, median } from '../lib/report.mjs';
import { serve } from '../lib/serve.mjs';
import { within } from '../lib/within.mjs';
import { installPeers } from '../peers/install.mjs';
import { addShipped, bundle } from '../peers/site.mjs';

const kHere = join(root, 'bench', 'streams');
const kLiveStoreActions = 10_000;
const kLogs = [
  { name: 'skerry', adapter: 'skerry', variant: 'local', ours: true },
  { name: 'skerry-server', adapter: 'skerry', variant: 'server', ours: true, onServer: true },
  {
    name: 'livestore',
    adapter: 'livestore',
    workers: ['livestore-worker', 'livestore-shared-worker'],
    files: ['@livestore/wa-sqlite/dist/wa-sqlite.wasm'],
    // More take minutes.
    most: kLiveStoreActions,
  },
  { name: 'yjs', adapter: 'yjs' },
];
const kStores = ['bare', 'skerry', 'persist'].map((variant) => ({
  ...{ name: `redux-${variant}`, adapter: 'redux', variant },
  ours: variant === 'skerry',
}));
const kActions = 100_000;
const kAppends = 100;
const kCross = 100;
const kAtOnce = 1_000;
const kDispatchRounds = 20;
/** Entries of a plain stream, of which a device shows the last hundred. */
const kTails = [1_000, 1_000_000];
const kLimitMs = 180_000;
const kUser = 'bench';

/** A page, once its adapter is loaded. */
async function opened(browser, address) {
  const page = await browser.page(address);
  await page.waitForFunction('globalThis.bench !== undefined', { timeout: kLimitMs });
  return page;
}

const addressOf = (url, name) => new URL(`/?system=${name}`, url).href;

async function makeSite(modules) {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-streams-'));
  for (const file of ['index.html', 'main.js'])
    copyFileSync(join(kHere, 'page', file), join(folder, file));
  for (const { name, adapter, variant = '', ours, workers = [], files = [] } of [
    ...kLogs,
    ...kStores,
  ]) {
    const own = join(folder, name);
    mkdirSync(own);
    const define = { VARIANT: JSON.stringify(variant) };
    const script = (entry, as) =>
      bundle(join('adapters', `${entry}.js`), join(own, `${as}.js`), modules, define, kHere);
    await script(adapter, 'adapter');
    for (const worker of workers) await script(worker, worker);
    for (const file of files) copyFileSync(join(modules, file), join(own, basename(file)));
    if (ours) addShipped(own);
  }
  return folder;
}

/** A server of its own, with or without the reducer of the stream `chat`. */
async function startServer(site, { folds }) {
  const data = mkdtempSync(join(tmpdir(), 'skerry-bench-data-'));
  const prop = { name: 'title', type: 'string', index: false, optional: true, unique: false };
  const notes = { name: 'notes', ids: 'uuid', autosubscribe: false, props: [prop] };
  const schema = { version: 1, accepts: [], tables: [notes] };
  const reducers = `export const reducers = { chat: { initialState: { count: 0, total: 0 },
    reducer: ({ count, total }, { n }) => ({ count: count + 1, total: total + n }) } };`;
  const module = join(data, 'schema.mjs');
  writeFileSync(module, `export default ${JSON.stringify(schema)};\n${folds ? reducers : ''}`);
  const limits = ['requestsPerUser=0', 'requestsPerClient=0', 'workPerUser=0'];
  const child = spawn(
    process.execPath,
    [
      join(root, 'server', 'dist', 'main.js'),
      ...['--schema', module, '--port', '0', '--data', join(data, 'db'), '--dev', '--static', site],
      ...limits.flatMap((limit) => ['--limit', limit]),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ready = new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const found = /skerry-server ready (\S+)/.exec(output);
      if (found) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
  });
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await within(kLimitMs, 'the end of the server', ended);
    rmSync(data, { recursive: true, force: true, maxRetries: 5 });
  };
  return { url: await within(kLimitMs, 'a server', ready), stop };
}

async function post(url, path, body) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer dev:${kUser}` };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Appends so many actions to the stream `chat` of the user's realm, by the wire. */
async function fill(url, count) {
  const [client, realm] = [randomUUID(), `user:${kUser}`];
  let after = null;
  for (let from = 0; from < count; from += 1_000) {
    const at = Date.now();
    const actions = Array.from({ length: 1_000 }, (_, i) => ({
      ...{ id: randomUUID(), name: 'said', at },
      arg: { type: 'said', n: from + i, text: `the line number ${from + i} of a chat` },
    }));
    const ops = actions.map((_, i) => ({ op: 'append', stream: 'chat', realm, by: [i] }));
    const update = { id: randomUUID(), after: { [realm]: after }, base: {}, at, actions, ops };
    const { results } = await post(url, '/v1/push', {
      client,
      schema: 1,
      seen: {},
      updates: [update],
    });
    if (results[0]?.status !== 'applied') throw new Error(JSON.stringify(results[0]).slice(0, 500));
    after = { seq: from / 1_000 + 1, id: update.id };
  }
}

/** Resolves once a newcomer is told of a snapshot of all actions: each entry has as many as make one due. */
async function folded(url) {
  const ask = async () => {
    const streams = [{ stream: 'chat', version: 1, filled: {} }];
    const body = { client: randomUUID(), schema: 1, cursors: {}, have: [], seen: {}, scopes: [] };
    const answer = await post(url, '/v1/pull', { ...body, streams });
    const head = Number(answer.cursors[`user:${kUser}`].split('@')[0]);
    return answer.streams.some(({ snapshot }) => snapshot?.revision === head);
  };
  const end = performance.now() + kLimitMs;
  while (!(await ask())) {
    if (performance.now() > end) throw new Error('the server made no snapshot');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Appends, other windows, and a cold start with many actions, of one system on a fresh profile. */
async function measureLog({ name }, url) {
  const browser = new Browser();
  const address = addressOf(url, name);
  try {
    const writer = await opened(browser, address);
    await browser.call(writer, 'open');
    const appends = await browser.call(writer, 'appends', 1, kAppends);
    const atOnce = await browser.call(writer, 'appendMany', 1_000, kAtOnce);
    const reader = await opened(browser, address);
    await browser.call(reader, 'open');
    await browser.call(reader, 'observe');
    const { times, floors } = await browser.call(writer, 'cross', 10_000, kCross);
    await reader.close();
    return { append: median(appends), atOnce, cross: median(times), floor: median(floors) };
  } finally {
    await browser.remove();
  }
}

/** A device that has many actions of its own, and is started again: its last items, and a state that it has not folded before. */
async function measureCold({ name, most: count = kActions }, url) {
  const browser = new Browser();
  const address = addressOf(url, name);
  try {
    const page = await opened(browser, address);
    await browser.call(page, 'open');
    const bulk = await browser.call(page, 'fill', count);
    await browser.call(page, 'close');
    await browser.close();
    const again = await opened(browser, address);
    const start = await browser.call(again, 'open');
    const last = await browser.call(again, 'last');
    if (last !== count - 1 && last !== null) throw new Error(`the last is ${last}`);
    await again.close();
    return { bulk, start, ...(await measureFolds(browser, address, count)) };
  } finally {
    await browser.remove();
  }
}

/** A state over all actions, on a device that has none of it; then once more on the same device. */
async function measureFolds(browser, address, count = kActions) {
  const page = await opened(browser, address);
  const first = await browser.call(page, 'fold', 'chat');
  if (first.count !== count) throw new Error(`${first.count} actions were folded`);
  await browser.call(page, 'kept', count);
  await browser.close();
  const again = await browser.call(await opened(browser, address), 'fold', 'chat');
  return { first: first.ms, again: again.ms };
}

/** A newcomer to a stream that the server has; then the same device again. */
async function measureNewcomer(url) {
  const browser = new Browser();
  const address = addressOf(url, 'skerry-server');
  try {
    return await measureFolds(browser, address);
  } finally {
    await browser.remove();
  }
}

/** MB of the page: its objects and its buffers, the core's memory among them. */
async function memoryOf(page) {
  const session = await page.createCDPSession();
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize } = await session.send('Runtime.getHeapUsage');
  return (usedSize + backingStorageSize) / 1e6;
}

/** A device that shows the last items of a stream of so many, and is then started again. */
async function measureTail(url, count) {
  const browser = new Browser();
  const address = addressOf(url, 'skerry-server');
  try {
    const first = await browser.call(await opened(browser, address), 'newcomer');
    if (first.last !== count - 1) throw new Error(`the last of ${count} is ${first.last}`);
    await browser.close();
    const page = await opened(browser, address);
    const again = await browser.call(page, 'newcomer');
    return { first: first.ms, again: again.ms, mb: await memoryOf(page) };
  } finally {
    await browser.remove();
  }
}

async function measureStore({ name }, url) {
  const browser = new Browser();
  try {
    const page = await opened(browser, addressOf(url, name));
    await browser.call(page, 'open');
    const { each, all, count } = await browser.call(page, 'dispatches', kDispatchRounds, kAtOnce);
    if (count !== kDispatchRounds * kAtOnce) throw new Error(`${count} dispatches were counted`);
    return { each: median(each), all: median(all) };
  } finally {
    await browser.remove();
  }
}

const medians = (list) =>
  Object.fromEntries(Object.keys(list[0]).map((key) => [key, median(list.map((one) => one[key]))]));

/** Gives the text. */
export async function streamsBench({ rounds }, note) {
  const site = await makeSite(await installPeers());
  const found = new Map();
  const keep = (name, result) => found.set(name, [...(found.get(name) ?? []), result]);
  const servers = [];
  try {
    const page = await serve(site);
    servers.push({ stop: () => page.close() });
    const folding = await startServer(site, { folds: true });
    servers.push(folding);
    const plain = await startServer(site, { folds: false });
    servers.push(plain);
    for (const { url } of [folding, plain]) await fill(url, kActions);
    await folded(folding.url);
    const fresh = await startServer(site, { folds: false });
    servers.push(fresh);
    const tails = new Map();
    for (const count of kTails) {
      const server = await startServer(site, { folds: false });
      servers.push(server);
      await fill(server.url, count);
      tails.set(count, server.url);
      note(`a server with ${count} entries is there`);
    }
    const locals = kLogs.filter(({ onServer }) => !onServer);
    for (let round = 1; round <= rounds; round++) {
      const begun = performance.now();
      for (const log of kLogs)
        keep(log.name, await measureLog(log, log.onServer ? fresh.url : page.url));
      for (const log of locals) keep(`${log.name} cold`, await measureCold(log, page.url));
      keep('snapshot', await measureNewcomer(folding.url));
      keep('pages', await measureNewcomer(plain.url));
      for (const [count, url] of tails) keep(`tail ${count}`, await measureTail(url, count));
      for (const store of kStores) keep(store.name, await measureStore(store, page.url));
      note(`round ${round}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    }
  } finally {
    for (const { stop } of servers.reverse()) await stop();
    rmSync(site, { recursive: true, force: true });
  }
  const of = (name) => medians(found.get(name));
  return { text: text(of, rounds), failed: false };
}

function text(of, rounds) {
  const all = kLogs.map(({ name }) => of(name));
  const [cold, live, yjs] = ['skerry', 'livestore', 'yjs'].map((name) => of(`${name} cold`));
  const [snapshot, pages] = [of('snapshot'), of('pages')];
  const [bare, ours, persist] = kStores.map(({ name }) => of(name));
  const ms = (value) => `${digits(value)} ms`;
  const us = (value) => `${digits(value)} µs`;
  const logs = [
    ['one durable append', ...all.map(({ append }) => ms(append))],
    [`${kAtOnce} durable appends at once`, ...all.map(({ atOnce }) => ms(atOnce))],
    ['append until another window has answered', ...all.map(({ cross }) => ms(cross))],
    ['a message there and back', ...all.map(({ floor }) => ms(floor))],
    [`append ${kActions} actions, durable`, ms(cold.bulk), '–', ms(live.bulk), ms(yjs.bulk)],
    [`cold start with ${kActions} actions`, ms(cold.start), '–', ms(live.start), ms(yjs.start)],
    ['the same, with a first sum of all', ms(cold.first), '–', ms(live.first), ms(yjs.first)],
    ['the same once more', ms(cold.again), '–', ms(live.again), ms(yjs.again)],
    [`newcomer to ${kActions} actions, by pages`, '–', ms(pages.first), '–', '–'],
    ['the same device once more', '–', ms(pages.again), '–', '–'],
    [`newcomer to ${kActions} actions, by snapshot`, '–', ms(snapshot.first), '–', '–'],
    ['the same device once more', '–', ms(snapshot.again), '–', '–'],
  ];
  const tails = kTails.map((count) => {
    const { first, again, mb } = of(`tail ${count}`);
    return [`${count}`, ms(first), ms(again), `${digits(mb)} MB`];
  });
  const stores = [
    ['one dispatch', us(bare.each), us(ours.each), us(persist.each)],
    [`${kAtOnce} dispatches, stored`, '–', ms(ours.all), ms(persist.all)],
  ];
  return [
    markdown(['actions', 'skerry', 'with a server', 'LiveStore', 'Y.Array'], logs),
    '',
    markdown(['entries on the server', 'newcomer, the last 100', 'started again', 'memory'], tails),
    '',
    markdown(['Redux', 'bare', 'skerry/redux', 'redux-persist'], stores),
    '',
    `Medians of ${rounds} rounds in Chromium. LiveStore has ${kLiveStoreActions} actions where others have ${kActions}. redux-persist stores the`,
    'last state only, and says nothing to other windows.',
  ].join('\n');
}
