// Goal: a program that starts a server gives it rules as functions, or none, and wrong options are explained. Method: servers in this
// process, and clients that speak the wire by hand.

import { schema, t, table } from 'skerry';
import { afterAll, describe, expect, test } from 'vitest';
import { createServer } from '../../server/src/server.ts';
import { placeDatabase } from '../support/initialised.ts';
import { makeDatabase, postgresUrl } from './support/database.ts';
import { Folder, type Json, uuid7, WireClient } from './support/server.ts';

const app = schema(
  {
    cities: table(
      { name: t.string(), population: t.number().default(0) },
      { validate: (city) => (city.name === '' ? 'A city has a name.' : undefined) },
    ),
  },
  { version: 1 },
);
const folders: Folder[] = [];
afterAll(() => {
  for (const folder of folders) folder.remove();
});

let users = 0;
/** The result of a city that is made, or the code and sentence by which it is refused. */
async function made(url: string, name: string): Promise<unknown> {
  const user = `program-${++users}`;
  const client = new WireClient(url, user);
  const city = { op: 'create', table: 'cities', id: uuid7(), realm: `user:${user}`, set: { name } };
  const result = await client.push([city]);
  if (result.status !== 'rejected') return result.status;
  return (result.rejected as Json[]).map(({ code, detail }) => [code, detail]);
}

describe('of a program that starts a server', () => {
  async function start(folder: Folder, more: object) {
    folders.push(folder);
    if (postgresUrl === undefined) placeDatabase(folder.data);
    const database =
      postgresUrl && (await makeDatabase(postgresUrl, folder.path.slice(-6).toLowerCase()));
    return createServer({
      ...{ schema: app, auth: { dev: true }, port: 0, data: folder.data, database, warn: () => {} },
      ...more,
    });
  }

  test('rules are functions in its own process, or switched off', async () => {
    const asked: unknown[] = [];
    const validate = (change: { user: string; rows: readonly { after: unknown }[] }) => {
      asked.push(change.rows.map(({ after }) => after));
    };
    const ruling = await start(new Folder(), { validate });
    expect(await made(ruling.url, '')).toEqual([['rule', 'A city has a name.']]);
    expect(await made(ruling.url, 'x')).toBe('applied');
    expect(asked.at(-1)).toMatchObject([{ name: 'x', population: 0, createdAt: expect.any(Date) }]);
    await ruling.close();
    const free = await start(new Folder(), { validate: false });
    expect(await made(free.url, '')).toBe('applied');
    await free.close();
  });

  test('its seed is the operator’s own, and is not judged', async () => {
    const seed = [{ table: 'cities', id: uuid7(), realm: 'seeded', set: { name: '' } }];
    const seeded = await start(new Folder(), { seed, public: { seeded: 'read' } });
    const reader = new WireClient(seeded.url);
    reader.scopes = [{ table: 'cities', where: ['true'], filled: true }];
    const rows = new Map<string, Json>();
    await reader.sync(rows);
    expect(rows.size).toBe(1);
    await seeded.close();
  });

  test.each([
    ['a text', { validate: 'x' }, /is a function, or false/],
    [
      'a function beside a module',
      { validate: () => {}, schemaModule: new Folder().schema(app) },
      /are both given/,
    ],
    [
      'a function over a description',
      { validate: () => {}, schema: JSON.parse(JSON.stringify(app)) },
      /the result of schema\(\)/,
    ],
  ])('%s is refused', async (_, options, message) => {
    await expect(start(new Folder(), options)).rejects.toThrow(message);
  });
});
