// The installed package in Node, as a server that renders pages has it: importing does nothing, and opening a database
// where there is no browser is refused in words.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { patience } from '../support/patience.ts';

const run = promisify(execFile);
const folder = inject('plain');
const LIMIT_MS = patience(20_000);

/** Runs a module in a process of its own, in a folder where the package is installed; gives what it printed, as JSON. */
async function inNode<T>(name: string, script: string): Promise<T> {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, script);
  // The limit is the proof that nothing keeps the process alive: past it execFile rejects.
  const { stdout } = await run(process.execPath, [file], { cwd: folder, timeout: LIMIT_MS });
  return JSON.parse(stdout) as T;
}

interface Found {
  readonly names: string[];
  readonly changed: string[];
  readonly listeners: string[];
  readonly resources: string[];
}

/** What an import changes. `node:path` changes nothing, and is what the others are compared with. */
const looking = (specifier: string) => `
  // By value: Node makes some of its globals when they are first read.
  const describe = () => new Map(Reflect.ownKeys(globalThis).map((key) => [key, globalThis[key]]));
  describe();
  const before = describe();
  const names = Object.keys(await import(${JSON.stringify(specifier)}));
  const after = describe();
  const changed = [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => !Object.is(before.get(key), after.get(key))).map(String);
  const listeners = process.eventNames().map(String);
  const timers = process.getActiveResourcesInfo().filter((each) => /Timeout|Immediate|Port|Worker|Wrap/.test(each));
  console.log(JSON.stringify({ names, changed, listeners, resources: timers }));
`;

test.each([
  ['skerry', 'open'],
  ['skerry/testing', 'memory'],
  ['skerry/service-worker', 'syncWorker'],
  ['skerry/authority', 'default'],
])('importing %s has no side effects, and the process ends by itself', async (specifier, name) => {
  const nothing = await inNode<Found>('nothing', looking('node:path'));
  const found = await inNode<Found>('import', looking(specifier));
  expect(found.names).toContain(name);
  expect(found.changed).toEqual([]);
  expect(found.listeners).toEqual(nothing.listeners);
  expect(found.resources).toEqual(nothing.resources);
});

test('open without a browser is refused in words, at once', async () => {
  const error = await inNode(
    'open',
    `import { http, open, UnsupportedError } from 'skerry';
    import { app } from './schema.js';
    const error = await open({ name: 'notes', schema: app, user: 'ada', remote: http('/v1') }).catch((why) => why);
    const { name, code, message } = error;
    console.log(JSON.stringify({ typed: error instanceof UnsupportedError, name, code, message }));`,
  );
  expect(error).toEqual({
    typed: true,
    name: 'UnsupportedError',
    code: 'no_window',
    message: expect.stringMatching(/browser.*host.*skerry\/testing/),
  });
});

test('on the host in memory it opens, with the wasm of the package', async () => {
  const text = await inNode(
    'memory',
    `import { open } from 'skerry';
    import { memory } from 'skerry/testing';
    import { app } from './schema.js';
    const db = await open({ name: 'notes', schema: app, host: memory() });
    const note = db.transact((tx) => tx.notes.create({ text: 'In Node' }));
    await note.durable;
    console.log(JSON.stringify(db.notes.get(note.result).text));
    await db.close();`,
  );
  expect(text).toBe('In Node');
});
