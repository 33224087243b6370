// Goal: a newcomer gets today's rows of a large realm by an image and what came after it, whatever has happened beside the
// image: growth, deletions, a log that is forgotten, a server that was restored from a backup while its folder of images was
// not. Method: a real server that keeps its log for a second; the ids in the bytes of the image, and the pull that goes on
// behind it, beside the rows that were written.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { everything } from './support/pulling.ts';
import { RestorableServer } from './support/restorable.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';

/** Images are offered above 2,000 rows. */
const kRows = 2_050;
const scopes = (filled: boolean) => everything.map((scope) => ({ ...scope, filled }));

const server = new RestorableServer(undefined, ['--retention', '1']);
beforeAll(() => server.start());
afterAll(() => server.remove());

let users = 0;

/** A large realm, and what is in it. */
class Realm {
  readonly user = `histories-${++users}`;
  readonly name = `user:${this.user}`;
  readonly rows = new Set<string>();

  async write(added: readonly string[], removed: readonly string[] = []): Promise<void> {
    const op = (kind: string) => (id: string) => ({
      ...{ op: kind, table: 'cities', id, realm: this.name },
      ...(kind === 'create' ? { set: { name: 'City' } } : {}),
    });
    const ops = [...added.map(op('create')), ...removed.map(op('delete'))];
    expect(await this.client().push(ops)).toMatchObject({ status: 'applied' });
    for (const id of added) this.rows.add(id);
    for (const id of removed) this.rows.delete(id);
  }

  client(): WireClient {
    return new WireClient(server.url, this.user);
  }

  /** The ids that a newcomer has, and the image that it got. */
  async newcomer(): Promise<{ ids: Set<string>; image: Json }> {
    const client = this.client();
    client.scopes = scopes(false);
    const first = await client.pull();
    expect(first.status).toBe(200);
    const image = (first.body.fills as Json[]).find(({ realm }) => realm === this.name)!;
    const answer = await fetch(server.url + String(image.url), { headers: client.headers });
    expect(answer.status).toBe(200);
    const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
    const ids = new Set(text.match(/[a-z]+-[0-9a-f]{12}/g));
    client.scopes = scopes(true);
    const cursors = { [this.name]: `${String(image.revision)}@${String(image.at)}` };
    const { status, body } = await client.pull({ cursors });
    expect(status).toBe(200);
    expect(body.reset ?? []).toEqual([]);
    for (const { change, id } of body.changes as { change: string; id: string }[]) {
      if (change === 'delete') ids.delete(id);
      else ids.add(id);
    }
    return { ids, image };
  }

  async expectNewcomer(): Promise<Json> {
    const { ids, image } = await this.newcomer();
    expect([...ids].sort()).toEqual([...this.rows].sort());
    return image;
  }

  /** Resolves once the log is forgotten up to this revision. */
  async forgotten(revision: number): Promise<void> {
    const floor = async () => {
      const { body } = await this.client().pull({ floors: true, cursors: {} });
      return ((body.floors as Json)[this.name] as { revision: number } | undefined)?.revision ?? 0;
    };
    await expect.poll(floor, { timeout: 20_000 }).toBeGreaterThanOrEqual(revision);
  }
}

const fresh = (prefix: string, count = 1) =>
  Array.from({ length: count }, () => `${prefix}-${uuid7().slice(-12)}`);

test('rows that come, go and come again after the image', async () => {
  const realm = new Realm();
  const [gone, back, ...rest] = fresh('first', kRows) as [string, string];
  await realm.write([gone, back, ...rest]);
  const image = await realm.expectNewcomer();
  await realm.write(fresh('later', 3), [gone, back]);
  await realm.write([back]);
  expect(await realm.expectNewcomer()).toEqual(image);
});

test('an image whose later entries are forgotten is not offered', async () => {
  const realm = new Realm();
  await realm.write(fresh('first', kRows));
  const image = await realm.expectNewcomer();
  await realm.write(fresh('second'), [...realm.rows].slice(0, 5));
  await realm.write(fresh('third'));
  await realm.forgotten(2);
  expect((await realm.expectNewcomer()).revision).toBeGreaterThan(Number(image.revision));
});

test('an image of the revision that the log has kept is offered', async () => {
  const realm = new Realm();
  await realm.write(fresh('first', kRows));
  await realm.write(fresh('second'), [...realm.rows].slice(0, 5));
  const image = await realm.expectNewcomer();
  await realm.forgotten(Number(image.revision));
  await realm.write(fresh('third'), [...realm.rows].slice(0, 5));
  expect(await realm.expectNewcomer()).toEqual(image);
});

test('who has given back is offered an image that has it, and others the one before', async () => {
  const realm = new Realm();
  await realm.write(fresh('first', kRows));
  const image = await realm.expectNewcomer();
  const client = realm.client();
  const op = { op: 'create', table: 'cities', id: fresh('given')[0], realm: realm.name };
  const { revisions, at } = await client.push([{ ...op, set: { name: 'City' } }]);
  const head = Number((revisions as Json)[realm.name]);
  client.scopes = scopes(false);
  const offered = async (given?: string) => {
    const more = given === undefined ? {} : { given: { [realm.name]: given } };
    const { status, body } = await client.pull({ cursors: {}, lost: [realm.name], ...more });
    expect([status, body.reset]).toEqual([200, undefined]);
    return (body.fills as Json[]).find((fill) => fill.realm === realm.name)?.revision;
  };
  expect(await offered()).toBe(image.revision);
  expect(await offered(`${String(image.revision)}@${String(image.at)}`)).toBe(image.revision);
  expect(await offered(`${head}@${String(at)}`)).toBe(head);
});

test('an image of a lost history is not offered, though the revision is there again', async () => {
  const realm = new Realm();
  await realm.write(fresh('first', kRows));
  const restore = await server.backUp();
  const rows = [...realm.rows];
  await realm.write(fresh('lost', 30));
  const lost = await realm.expectNewcomer();
  await restore();
  realm.rows.clear();
  for (const id of rows) realm.rows.add(id);
  await realm.write(fresh('again', 30));
  const image = await realm.expectNewcomer();
  expect(image.revision).toBe(lost.revision);
  expect(image.hash).not.toBe(lost.hash);
});
