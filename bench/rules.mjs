// `npm run bench -- rules`: what the rules of an application, and undo, cost: a write in a window, and a push at the server.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SignJWT } from 'jose';
import { root } from '../tools/lib/paths.mjs';
import { Browser } from './lib/browser.mjs';
import { markdown, median } from './lib/report.mjs';
import { serve } from './lib/serve.mjs';
import { makeSite } from './lib/site.mjs';
import { Http, measure, overHttp, Pusher } from './server/load.mjs';
import { secret, serverMain, startProgram } from './server/node.mjs';

const kWrites = 1_000;
const kRounds = 3;
const kPushMs = 5_000;
const kInFlight = 16;

const kRules = {
  none: '',
  table: ', { validate: ({ population }) => (population < 0 ? "It is not negative." : null) }',
  read: `, { validate: (city, reader) =>
    reader.cities.where('name', '=', city.name).count() < 0 ? 'There are too few.' : null }`,
};

/** A module whose table has a rule of this kind: none, one of the row alone, one that reads by a filter. */
function moduleOf(rule) {
  const skerry = pathToFileURL(join(root, 'dist', 'index.js')).href;
  return `import { schema, t, table } from ${JSON.stringify(skerry)};
export default schema({ cities: table({ name: t.string().index(), population: t.number().default(0) }${rule}) }, { version: 1 });`;
}

/** Pushes a second, of one row each, to a realm of its own for each client. */
async function pushes(rule) {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-rules-'));
  const file = join(folder, 'schema.mjs');
  writeFileSync(file, moduleOf(rule));
  const limits = ['requestsPerUser=0', 'requestsPerClient=0', 'workPerUser=0'];
  const args = [
    '--schema',
    file,
    '--port',
    '0',
    '--data',
    join(folder, 'data'),
    '--secret',
    secret,
  ];
  args.push(...limits.flatMap((limit) => ['--limit', limit]));
  const server = await startProgram('skerry-server', [serverMain, ...args], {});
  const http = new Http(server.url, kInFlight);
  try {
    const realms = Array.from({ length: kInFlight }, (_, i) => `realm-${i}`);
    const claims = Object.fromEntries(realms.map((realm) => [realm, 'write']));
    const token = await new SignJWT({ sub: 'bench', realms: claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret));
    const workers = realms.map((realm, i) => {
      const row = { table: 'cities', set: { name: `city ${i}` } };
      const pusher = new Pusher(overHttp(http, token), realm, row);
      return () => pusher.push();
    });
    await measure(workers, kPushMs / 5);
    return await measure(workers, kPushMs);
  } finally {
    http.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writes(note) {
  note('writes in a window');
  const site = await makeSite('rules');
  const server = await serve(site.folder);
  const browser = new Browser();
  try {
    const page = await browser.page(server.url);
    return await browser.call(page, 'writes', kWrites);
  } finally {
    await browser.remove();
    await server.close();
    site.remove();
  }
}

export async function rulesBench(note) {
  const times = await writes(note);
  const rates = new Map(Object.keys(kRules).map((kind) => [kind, []]));
  for (let round = 0; round < kRounds; round++) {
    for (const [kind, rule] of Object.entries(kRules)) {
      note(`pushes, ${kind}, round ${round + 1}`);
      rates.get(kind).push(await pushes(rule));
    }
  }
  const us = (name) => `${(times[name] * 1000).toFixed(0)}`;
  const pushed = (kind) => {
    const rate = median(rates.get(kind).map((one) => one.rate));
    const p50 = median(rates.get(kind).map((one) => one.p50));
    return [rate.toFixed(0), p50.toFixed(1)];
  };
  const text = [
    markdown(
      ['a write in a window, until `transact` returns', 'µs'],
      [
        ['no rules, `undoable: false`', us('not undoable')],
        ['no rules', us('none')],
        ['a rule of the table', us('table')],
        ['a rule of the schema, which reads the row', us('schema')],
      ],
    ),
    '',
    markdown(
      [`pushes of one row, ${kInFlight} at a time, PGlite`, 'a second', 'median, ms'],
      [
        ['no rules', ...pushed('none')],
        ['a rule of the row', ...pushed('table')],
        ['a rule that reads by a filter', ...pushed('read')],
      ],
    ),
    '',
    `A table of 10,000 rows; medians of ${kWrites} writes, and of ${kRounds} rounds of ${kPushMs / 1000} s; ${cpus().length} cores.`,
  ].join('\n');
  return { text, failed: false };
}
