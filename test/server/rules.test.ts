// Goal: the rules of the application judge every pushed action over the merged rows, and what they refuse is refused alone, with
// their sentence; a rule that fails or never returns stops only its own client. Method: a real server with a schema module whose
// rules are of every kind, clients that speak the wire by hand, and the package's own.

import { http, open, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { Folder, type Json, startServer, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const packageFile = new URL('../../dist/index.js', import.meta.url).href;

const tables = `{
  cities: table({ name: t.string(), population: t.number().default(0) }, { validate: (city) => {
    if (city.name === 'throw') throw new Error('of the rule');
    if (city.name === 'seven') return 7;
    if (city.name === 'hang') for (;;);
    if (city.name === 'exit') process.exit(3);
    if (city.name === 'grow') { const all = []; for (;;) all.push([1.5]); }
    return city.population < 0 ? 'A population is not negative.' : undefined;
  } }),
  groups: table({ name: t.string() }, { id: t.string() }),
  members: table({ name: t.string(), group: t.ref('groups', { onDelete: 'cascade' }), since: t.date().optional() }),
  probes: table({ name: t.string(), born: t.date(), size: t.enum(['s', 'l']), data: t.bytes().optional(), any: t.json().optional() }),
}`;
/** A group has at most three members; a probe is answered with what its rule reads. */
const ofSchema = `(reader, changed) => {
  const probe = changed.find(({ table }) => table === 'probes');
  if (probe) {
    const row = reader.probes.get(probe.id);
    const read = {
      born: row.born instanceof Date && row.born.getTime(), size: row.size, any: row.any,
      data: row.data && [...row.data],
      first: reader.members.orderBy('name', 'desc').first()?.name,
      names: reader.members.where('name', 'like', 'm%').orderBy('name').offset(1).limit(2).all().map(({ name }) => name),
      count: reader.members.count(),
      latest: reader.members.max('since')?.getTime(),
      with: reader.groups.include('members', (q) => q.orderBy('name')).all().map((g) => [g.id, g.members.map(({ name }) => name)]),
      groups: reader.members.include('group').all().map(({ group }) => group.name),
      full: reader.groups.where((b) => b.exists('members', (q) => q.where('name', '=', 'm2'))).ids(),
      many: reader.groups.getMany(['g1', 'none', 'g2']).map((g) => g?.name),
      none: reader.cities.get('01890000-0000-7000-8000-000000000001') === undefined,
      pending: reader.groups.isPending('g1'),
    };
    return [{ table: 'probes', id: probe.id, message: JSON.stringify(read) }];
  }
  const groups = changed.flatMap(({ table, id }) => table === 'groups' ? id : (reader.members.get(id)?.group ?? []));
  return [...new Set(groups)].flatMap((id) => {
    const members = reader.members.where('group', '=', id).ids();
    const message = 'A group has at most three members.';
    return members.length > 3 ? members.map((id) => ({ table: 'members', id, message })) : [];
  });
}`;
const ofServer = `export const validate = (change, reader) => {
  if (change.action.name !== 'approve') return;
  const all = reader.groups.count();
  return change.user === 'ann' ? undefined : \`Only Ann approves \${change.action.arg.what} of \${all} (\${change.rows.map(({ table }) => table)}).\`;
};`;
const ruled = `import { schema, t, table } from ${JSON.stringify(packageFile)};
export default schema(${tables}, { version: 1, validate: ${ofSchema} });
${ofServer}`;
const plain = `import { schema, t, table } from ${JSON.stringify(packageFile)};
export default schema(${tables.replace(/\{ validate: [\s\S]*? \} \}\),/, '{}),')}, { version: 1 });`;

const server = new SharedServer({
  schema: null,
  exports: ruled,
  args: ['--dev', '--rule-seconds', '2'],
});
const folders: Folder[] = [];
afterAll(() => {
  for (const folder of folders) folder.remove();
});

let users = 0;
class User extends WireClient {
  readonly realm: string;
  constructor(url = server.url, user = `ruled-${++users}`) {
    super(url, user);
    this.realm = `user:${user}`;
  }
  create(table: string, set: Json, id = uuid7()): Json {
    return { op: 'create', table, id, realm: this.realm, set };
  }
  member(group: string, name = 'm'): Json {
    return this.create('members', { name, group });
  }
  /** What the server answers to an update with these ops. */
  async sent(ops: readonly Json[], more: Json = {}) {
    const chain = { ...this.chain };
    const answer = await this.send([this.update([...ops], more)]);
    const [result] = (answer.body.results ?? []) as Json[];
    if (result?.status !== 'applied') this.chain = chain;
    return { ...answer, result };
  }
  /** The result, and the reasons if it is refused. */
  async done(ops: readonly Json[], more: Json = {}): Promise<unknown> {
    const { status, body, result } = await this.sent(ops, more);
    if (result === undefined) return { status, ...body };
    if (result.status !== 'rejected') return result.status;
    return (result.rejected as Json[]).map(({ op, detail, code }) => [op, code, detail]);
  }
}
const negative = 'A population is not negative.';
const tooMany = 'A group has at most three members.';
const inc = (user: User, id: string, by: number) => ({
  ...{ op: 'inc', table: 'cities', id, realm: user.realm },
  add: { population: by },
});
const setName = (user: User, id: string, name: string) => ({
  ...{ op: 'update', table: 'cities', id, realm: user.realm, set: { name } },
});

describe('a rule', () => {
  test('of a table refuses what it finds wrong in the merged row, and nothing else', async () => {
    const user = new User();
    const other = new User(server.url, user.user);
    const id = uuid7();
    const wrong = user.create('cities', { name: 'a', population: -1 }, id);
    expect(await user.done([wrong])).toEqual([[0, 'rule', negative]]);
    expect(await user.done([{ ...wrong, set: { name: 'a', population: 5 } }])).toBe('applied');
    const both = await Promise.all([user, other].map((one) => one.done([inc(one, id, -3)])));
    expect(both).toContain('applied');
    expect(both).toContainEqual([[0, 'rule', negative]]);
    expect(await user.done([inc(user, id, -2)])).toBe('applied');
    expect(await user.done([inc(user, id, -1)])).toEqual([[0, 'rule', negative]]);
  });

  test('of the schema lets exactly three of twenty in, at once from twenty devices', async () => {
    const owner = new User();
    const devices = Array.from({ length: 20 }, () => new User(server.url, owner.user));
    await owner.done([owner.create('groups', { name: 'x' }, 'g')]);
    const results = await Promise.all(devices.map((one) => one.done([one.member('g')])));
    expect(results.filter((result) => result === 'applied')).toHaveLength(3);
    for (const result of results)
      if (result !== 'applied') expect(result).toEqual([[0, 'rule', tooMany]]);
    // A deletion makes room for another one, in one action.
    const reader = new User(server.url, owner.user);
    reader.scopes = [{ table: 'members', where: ['true'], filled: true }];
    const rows = new Map<string, Json>();
    await reader.sync(rows);
    const ids = [...rows.keys()].map((key) => key.split(' ')[2] as string);
    const leave = { op: 'delete', table: 'members', id: ids[0], realm: owner.realm };
    expect(await owner.done([leave, owner.member('g')])).toBe('applied');
    expect(await owner.done([owner.member('g')])).toEqual([[0, 'rule', tooMany]]);
  });

  test('names each action that is wrong, and refuses none that is right', async () => {
    const user = new User();
    const [good, bad, late] = [uuid7(), uuid7(), uuid7()];
    const actions = [good, bad, late].map((id) => ({ id, name: 'test', arg: null, at: 5 }));
    const ops = [1, -1, -2].map((population, i) => ({
      ...user.create('cities', { name: 'a', population }),
      by: [i],
    }));
    const { result } = await user.sent(ops, { actions, ops });
    expect(result).toMatchObject({ rejected: [{ actions: [bad] }, { actions: [late] }] });
  });

  test('sees values in the form of the application, and reads as on a device', async () => {
    const user = new User();
    const since = Date.UTC(2020, 1, 1);
    await user.done([
      ...[1, 2].map((n) => user.create('groups', { name: `group ${n}` }, `g${n}`)),
      ...['m1', 'm2', 'm3'].map((name) => user.member('g1', name)),
      { ...user.member('g2', 'n'), set: { name: 'n', group: 'g2', since } },
    ]);
    // What others have is none of its business.
    const other = new User();
    await other.done([other.create('groups', { name: 'other' }, 'g3')]);
    const answer = await user.done([
      user.create('probes', {
        ...{ name: 'p', born: since, size: 's', data: 'AQI=' },
        any: { at: { $type: 'date', v: 5 } },
      }),
    ]);
    expect(answer).toMatchObject([[0, 'rule', expect.any(String)]]);
    const [[, , sentence]] = answer as [[number, string, string]];
    expect(JSON.parse(sentence)).toEqual({
      ...{ born: since, size: 's', any: { at: new Date(5).toJSON() }, data: [1, 2] },
      ...{ first: 'n', names: ['m2', 'm3'], count: 4, latest: since, full: ['g1'] },
      with: [
        ['g1', ['m1', 'm2', 'm3']],
        ['g2', ['n']],
      ],
      groups: ['group 1', 'group 1', 'group 1', 'group 2'],
      many: ['group 1', null, 'group 2'],
      none: true,
      pending: false,
    });
  });

  test('of the server knows who acts, by which action, and on which rows', async () => {
    const approve = { actions: [{ id: uuid7(), name: 'approve', arg: { what: 'this' }, at: 5 }] };
    const bo = new User(server.url, 'bo');
    const ann = new User(server.url, 'ann');
    expect(await bo.done([bo.create('groups', { name: 'b' }, 'g')], approve)).toEqual([
      [undefined, 'rule', 'Only Ann approves this of 1 (groups).'],
    ]);
    expect(await bo.done([bo.create('groups', { name: 'b' }, 'g')])).toBe('applied');
    approve.actions = approve.actions.map((action) => ({ ...action, id: uuid7() }));
    expect(await ann.done([ann.create('groups', { name: 'a' }, 'g')], approve)).toBe('applied');
  });

  test('of a row that is gone is not asked; what a cascade deletes is right', async () => {
    const user = new User();
    const id = uuid7();
    await user.done([
      user.create('cities', { name: 'a', population: 1 }, id),
      user.create('groups', { name: 'x' }, 'g'),
      user.member('g'),
    ]);
    const gone = ['cities', 'groups'].map((name) => ({
      ...{ op: 'delete', table: name, id: name === 'cities' ? id : 'g', realm: user.realm },
    }));
    expect(await user.done(gone)).toBe('applied');
  });
});

describe('a rule that fails', () => {
  test.each([
    ['throw', /it threw Error: of the rule/],
    ['seven', /answers with a sentence, or with nothing, and not with 7/],
    ['hang', /takes longer than 2 s/],
    ['exit', /has ended the process \(3\)/],
  ])('%s: its client waits, and nobody else', async (name, detail) => {
    const user = new User();
    const other = new User();
    const id = uuid7();
    const [failed, done] = await Promise.all([
      user.sent([user.create('cities', { name }, id)]),
      other.done([other.create('cities', { name: 'other' })]),
    ]);
    expect(failed.status).toBe(503);
    expect(failed.body).toMatchObject({ code: 'busy', detail: expect.stringMatching(detail) });
    expect(done).toBe('applied');
    // Nothing of it was applied; what is right comes through at once.
    expect(await user.done([user.create('cities', { name: 'right' }, id)])).toBe('applied');
    expect(await user.done([setName(user, id, 'still right')])).toBe('applied');
    expect(server.output()).toMatch(/A rule of the application failed over the action/);
  });

  test('names the action at fault among several: the others are asked about at once', async () => {
    const user = new User();
    const [right, wrong] = [uuid7(), uuid7()];
    const actions = [right, wrong].map((id) => ({ id, name: 'test', arg: null, at: 5 }));
    const city = user.create('cities', { name: 'right' });
    const ops = [city, user.create('cities', { name: 'exit' })].map((op, i) => ({
      ...op,
      by: [i],
    }));
    expect(await user.done(ops, { actions, ops })).toMatchObject({ status: 503 });
    expect(await user.done([city], { actions: actions.slice(0, 1) })).toBe('applied');
    const again = { actions: actions.slice(1) };
    expect(await user.done([user.create('cities', { name: 'exit' })], again)).toMatchObject({
      status: 503,
    });
  });

  test('beside others of its push and of its commit, which are applied', async () => {
    const user = new User();
    const first = user.update([user.create('cities', { name: 'first' })]);
    const wrong = user.update([user.create('cities', { name: 'throw' })]);
    const { status } = await user.send([first, wrong]);
    expect(status).toBe(503);
    const again = await user.send([first]);
    expect((again.body.results as Json[])[0]).toMatchObject({ status: 'duplicate' });
  });
});

test('what was wrong before may stay, be made right, and not be made worse', async () => {
  const folder = new Folder();
  folders.push(folder);
  const user = { name: 'before' };
  const before = await startServer(folder, folder.schema(null, plain), { args: ['--dev'] });
  const old = new User(before.url, user.name);
  const ids = Array.from({ length: 5 }, () => uuid7());
  const city = uuid7();
  await old.done([
    old.create('groups', { name: 'x' }, 'g'),
    ...ids.map((id) => ({ ...old.member('g'), id })),
    old.create('cities', { name: 'a', population: -5 }, city),
  ]);
  await before.stop();
  const after = await startServer(folder, folder.schema(null, ruled), { args: ['--dev'] });
  const one = new User(after.url, user.name);
  const member = (op: string, id: unknown, set?: Json) => ({
    ...{ op, table: 'members', id, realm: one.realm },
    ...(set === undefined ? {} : { set }),
  });
  expect(await one.done([member('update', ids[0], { name: 'renamed' })])).toBe('applied');
  expect(await one.done([one.member('g')])).toEqual([[0, 'rule', tooMany]]);
  expect(await one.done([member('delete', ids[0])])).toBe('applied');
  expect(await one.done([setName(one, city, 'b')])).toBe('applied');
  expect(await one.done([inc(one, city, 5)])).toBe('applied');
  expect(await one.done([inc(one, city, -1)])).toEqual([[0, 'rule', negative]]);
  await after.stop();
});

const app = schema(
  {
    cities: table(
      { name: t.string(), population: t.number().default(0) },
      // Only the server has the rule of negative numbers.
      { validate: (city) => (city.name === '' ? 'A city has a name.' : undefined) },
    ),
  },
  { version: 1 },
);

test('a client has in its inbox what a rule refused, says why, and can mend it', async () => {
  const devices = await Promise.all(
    [0, 1].map(async () => {
      const host = memory({ workerTimes: { retry: 20, retryMax: 40 }, transport: fetchTransport });
      const db = await open({
        ...{ name: 'ruled', schema: app, host, user: 'client', scopes: 'all' },
        remote: http(`${server.url}/v1`, { token: async () => 'dev:client' }),
      });
      await db.sync.now();
      return db;
    }),
  );
  const [mine, theirs] = devices as [(typeof devices)[0], (typeof devices)[0]];
  const made = mine.transact((tx) => tx.cities.create({ name: 'a', population: 5 }));
  await made.confirmed;
  await theirs.sync.now();
  const id = made.result;
  mine.sync.pause();
  mine.transact((tx) => tx.cities.inc(id, { population: -3 }));
  await theirs.transact((tx) => tx.cities.inc(id, { population: -4 })).confirmed;
  mine.sync.resume();
  await expect.poll(() => mine.conflicts.all().length, { timeout: 20_000 }).toBe(1);
  const [entry] = mine.conflicts.all();
  expect(entry).toMatchObject({
    reason: 'rejected',
    code: 'rule',
    detail: negative,
    table: 'cities',
  });
  expect(mine.cities.get(id)?.population).toBe(1);
  await mine.conflicts.resolve(entry!.id, {
    amend: (tx) => void tx.cities.inc(id, { population: -1 }),
  });
  await mine.sync.waitForSync();
  await theirs.sync.now();
  expect(theirs.cities.get(id)?.population).toBe(0);
  for (const db of devices) await db.close();
});
