// A server of the demo as it was before its schema had rules, and with two cities and a group in place of all that it is seeded with.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './paths.ts';
import { TestServer } from './server.ts';

/** The package whose schemas have no rules. */
const withoutRules = (dist: string) => `
import * as real from ${JSON.stringify(dist)};
export const { t } = real;
export const table = (props) => real.table(props);
export const schema = (tables, { version, accepts }) => real.schema(tables, { version, accepts });
`;

const seed = `
const row = (table, id, set) => ({ table, id: '00000000-0000-8000-8000-' + id.padStart(12, '0'), realm: 'public', set });
const people = ['Ada', 'Björn', 'Chidi', 'Dao'];
export default function* () {
  for (const [at, name] of people.entries()) yield row('people', '1' + at, { name });
  yield row('groups', '20', { name: 'Map makers' });
  for (const at of [0, 1]) yield row('memberships', '3' + at, { group: row('', '20').id, person: row('', '1' + at).id });
  for (const [at, name] of ['Tarn', 'Loch'].entries())
    yield row('cities', '4' + at, { name, country: 'SE', population: 10, lat: 0, lon: 0, likes: 0 });
}
`;

export interface Served {
  readonly server: TestServer;
  stop(): Promise<void>;
}

export async function serveBeforeRules(): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-before-rules-'));
  const file = (name: string) => join(folder, name);
  try {
    writeFileSync(file('seed.mjs'), seed);
    writeFileSync(file('skerry.mjs'), withoutRules(join(root, 'dist', 'index.js')));
    await build({
      entryPoints: [join(root, 'web-demo', 'src', 'schema.ts')],
      outfile: file('schema.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      alias: { skerry: file('skerry.mjs') },
      logLevel: 'silent',
    });
    const more = ['--seed', file('seed.mjs')];
    const server = await TestServer.start({ schema: file('schema.mjs'), more });
    const stop = async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    };
    return { server, stop };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
