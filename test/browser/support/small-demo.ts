// A server of the demo with two cities and a group in place of all that it is seeded with. It asks the rules of the demo, or leaves
// them to the devices.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './paths.ts';
import { TestServer } from './server.ts';

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

export async function serveSmallDemo({ asksRules }: { asksRules: boolean }): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-small-demo-'));
  const file = join(folder, 'seed.mjs');
  try {
    writeFileSync(file, seed);
    const more = ['--seed', file, ...(asksRules ? [] : ['--no-validate'])];
    const schema = join(root, 'web-demo', 'dist', 'schema.js');
    const server = await TestServer.start({ schema, more });
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
