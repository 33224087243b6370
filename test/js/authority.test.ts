// Goal: the wasm module `skerry-authority` answers in Node as docs/authority.md says. Method: a push that needs rows, its
// duplicate, a pull with and without `have`, an image, and wrong calls, all through the module's own text interface. The
// rules themselves are tested natively (test/core/authority).

import { afterEach, beforeAll, describe, expect, it } from 'vitest';

interface Handle {
  delete(): void;
}
interface Steps extends Handle {
  step(text: string): string;
}
interface Maker extends Handle {
  rows(text: string): string;
  finish(): string;
  bytes(): Uint8Array;
}
interface AuthorityHandle extends Handle {
  error(): string;
  checkScopes(text: string): string;
}
interface Module {
  Authority: new (schema: string) => AuthorityHandle;
  Admission: new (authority: AuthorityHandle) => Steps;
  Pull: new (authority: AuthorityHandle) => Steps;
  ImageMaker: new (
    authority: AuthorityHandle,
    realm: string,
    revision: number,
    at: number,
  ) => Maker;
}

const kSchema = {
  version: 1,
  tables: [
    { name: 'groups', ids: 'string', props: [{ name: 'name', type: 'string' }] },
    {
      name: 'members',
      ids: 'string',
      props: [
        {
          name: 'group',
          type: 'ref',
          ref: { table: 'groups', onDelete: 'cascade', touch: true },
        },
        { name: 'since', type: 'date', optional: true },
        { name: 'photo', type: 'bytes', optional: true },
      ],
    },
  ],
};
const kClient = '01890000-0000-7000-8000-0000000000c1';
const uuid = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at in depth, and a wrong shape fails the test.
type Json = any;

let module: Module;
let authority: AuthorityHandle;
const open: Handle[] = [];

function owned<T extends Handle>(handle: T): T {
  open.push(handle);
  return handle;
}
/** An answer; with what is done, the lists that are to be written, which are the lines behind it. */
function step(handle: Steps, input: object): Json {
  const [answer, ...lists] = handle
    .step(JSON.stringify(input))
    .split('\n')
    .map((line) => JSON.parse(line));
  if (lists.length === 0) return answer;
  const [entries, changes, actions, appends, chains, heads, ...rows] = lists;
  expect(rows).toHaveLength(answer.done.tables.length);
  const log = { entries, changes, actions, appends, chains, heads };
  return { done: { ...answer.done, ...log, rows: rows.flat() } };
}

const group = {
  table: 'groups',
  id: 'g',
  realm: 'public',
  createdAt: 1000,
  modifiedAt: 1000,
  revision: 1,
  props: { name: 'Åre' },
};
const member = {
  table: 'members',
  id: 'm',
  realm: 'public',
  createdAt: 1000,
  modifiedAt: 1000,
  revision: 2,
  props: { group: 'g', since: 1.7e12, photo: 'AP8Q' },
};
const deletion = {
  id: uuid(10),
  after: { public: null },
  at: 1,
  actions: [{ id: uuid(11), name: 'drop', arg: { 'å"\\': [1, null] }, at: 1 }],
  ops: [{ op: 'delete', table: 'groups', id: 'g', realm: 'public' }],
};

function startPush(more: object = {}): object {
  return {
    now: 5000,
    realms: { public: { head: 2, headAt: 1000 } },
    rights: [{ public: 'write' }],
    chains: [],
    applied: [],
    actions: [],
    requests: [{ client: kClient, user: 'anna', rights: 0, updates: [deletion] }],
    ...more,
  };
}

beforeAll(async () => {
  const url = new URL('../../dist/skerry-authority.js', import.meta.url).href;
  const { default: createModule } = (await import(/* @vite-ignore */ url)) as {
    default: () => Promise<Module>;
  };
  module = await createModule();
  authority = new module.Authority(JSON.stringify(kSchema));
  expect(authority.error()).toBe('');
  return () => authority.delete();
});

afterEach(() => {
  for (const handle of open.splice(0)) handle.delete();
});

describe('admission', () => {
  function admit() {
    const admission = owned(new module.Admission(authority));
    const { needs } = step(admission, startPush());
    expect(needs.rows).toEqual([['public', 'groups', 'g']]);
    expect(needs.children).toEqual([['public', 'members', 'group', 'g']]);
    return step(admission, { rows: [group, member] }).done;
  }

  it('asks for rows and children, and answers with all writes', () => {
    const done = admit();
    expect(done.results).toEqual([
      [{ id: uuid(10), status: 'applied', revisions: { public: 3 }, at: 5000 }],
    ]);
    expect(done.heads).toEqual([{ realm: 'public', head: 3, headAt: 5000, rows: -2 }]);
    const { bytes } = done.entries[0];
    const touched = { realm: 'public', revision: 3, client: kClient, streams: [] };
    expect(done.touched).toEqual([
      { ...touched, tables: ['groups', 'members'], changes: 2, bytes, appends: 0 },
    ]);
    expect(bytes).toBeGreaterThan(100);
    expect(done.rows.map((row: Json) => [row.table, row.deletedAt, row.isNew])).toEqual([
      ['groups', 5000, false],
      ['members', 5000, false],
    ]);
    expect(done.changes).toHaveLength(2);
    expect(done.changes[1].before).toEqual(member);
    expect(done.entries).toHaveLength(1);
    expect(done.entries[0].actions).toEqual(deletion.actions);
    expect(done.entries[0].ops).toEqual(deletion.ops);
    expect(done.entries[0].tables).toEqual(['groups', 'members']);
    expect(done.chains).toEqual([
      { realm: 'public', client: kClient, seq: 1, id: uuid(10), refused: {} },
    ]);
    expect(done.actions).toEqual([{ realm: 'public', id: uuid(11), revision: 3 }]);
  });

  it('answers a copy as the first time', () => {
    const first = admit();
    const again = owned(new module.Admission(authority));
    const input = startPush({
      chains: first.chains,
      applied: [{ client: kClient, id: uuid(10), answer: first.entries[0].answer }],
      rows: first.rows,
    });
    const out = step(again, input);
    expect(out.done.results[0][0]).toEqual({ ...first.results[0][0], status: 'duplicate' });
    expect(out.done.entries).toEqual([]);
    expect(out.done.chains).toEqual([]);
  });

  it('asks for the lock of a realm that a row has moved to', () => {
    const admission = owned(new module.Admission(authority));
    step(admission, startPush({ rights: [{ public: 'write', team: 'write' }] }));
    const moved = { ...group, deletedAt: 1000, movedTo: 'team' };
    const { needs } = step(admission, { rows: [moved] });
    expect(needs.rows).toEqual([['team', 'groups', 'g']]);
    const there = step(admission, { rows: [{ ...group, realm: 'team' }] });
    expect(there.needs.children).toEqual([['team', 'members', 'group', 'g']]);
    expect(step(admission, { rows: [] })).toEqual({ lock: ['team'] });
    expect(step(admission, { rows: [] }).error.code).toBe('misuse');
  });
});

describe('pull', () => {
  function pull(have: string[]) {
    const handle = owned(new module.Pull(authority));
    const request = {
      client: kClient,
      cursors: { public: '2@1000' },
      have,
      scopes: [
        { table: 'groups', filled: true },
        { table: 'members', where: ['true'], filled: true },
      ],
    };
    const { needs } = step(handle, {
      now: 6000,
      request,
      realms: { public: { head: 3, headAt: 5000, rows: 0 } },
    });
    expect(needs.entries).toMatchObject([{ realm: 'public', from: 2, client: null }]);
    expect(needs.changes).toEqual([
      { realm: 'public', from: 2, tables: ['groups', 'members'], toHead: [] },
    ]);
    expect(needs.own).toEqual(have);
    const entry = { realm: 'public', revision: 3, at: 5000, client: kClient, update: uuid(10) };
    const second = step(handle, {
      entries: [
        { realm: 'public', revision: 2, at: 1000, client: 'x', update: uuid(1), declared: true },
        { ...entry, declared: true, spans: null },
      ],
      changes: [
        { realm: 'public', revision: 3, table: 'groups', id: 'g', before: group },
        { realm: 'public', revision: 3, table: 'members', id: 'm', before: member },
      ],
      own: have.length > 0 ? [{ ...entry, ops: deletion.ops }] : [],
    });
    expect(second.needs.rows).toHaveLength(2);
    const rows = second.needs.rows.map((need: Json) => ({ ...need, row: null }));
    return step(handle, { rows }).answer;
  }

  it('sends what the client does not have, and names what is its own', () => {
    const answer = pull([]);
    expect(answer.changes).toEqual([
      { change: 'delete', table: 'groups', id: 'g', realm: 'public', revision: 3 },
      { change: 'delete', table: 'members', id: 'm', realm: 'public', revision: 3 },
    ]);
    expect(answer).toMatchObject({
      time: 6000,
      cursors: { public: '3@5000' },
      more: false,
      own: { [uuid(10)]: { public: { revision: 3, at: 5000 } } },
      revoked: [],
      fills: [],
      streams: [],
    });
  });

  it('leaves out what the client folds itself, not what the authority added', () => {
    expect(pull([uuid(10)]).changes).toEqual([
      { change: 'delete', table: 'members', id: 'm', realm: 'public', revision: 3 },
    ]);
  });

  it('refuses a wrong request with a code', () => {
    const handle = owned(new module.Pull(authority));
    const request = { client: kClient, cursors: {}, scopes: [{ table: 'nothing' }] };
    expect(step(handle, { now: 1, request, realms: {} }).error.code).toBe('unknown_table');
  });
});

describe('images', () => {
  it('are bytes with a checksum', () => {
    const maker = owned(new module.ImageMaker(authority, 'public', 2, 1000));
    expect(maker.rows(JSON.stringify({ rows: [group] }))).toBe('{}');
    expect(maker.rows(JSON.stringify({ rows: [member] }))).toBe('{}');
    const finished = JSON.parse(maker.finish());
    const bytes = maker.bytes().slice();
    expect(bytes.length).toBe(finished.bytes);
    expect(finished.hash).toMatch(/^[0-9a-f]{16}$/);
    const text = new TextDecoder('latin1').decode(bytes);
    expect(text).toContain('2@1000');
  });
});

describe('wrong calls', () => {
  it('a wrong schema is reported as one', () => {
    const wrong = owned(new module.Authority('{"version":1,"tables":[{"name":"a b"}]}'));
    expect(JSON.parse(wrong.error()).detail).toContain('a b');
  });

  it('scopes are checked, and name the tables that they read', () => {
    const check = (scopes: object[]) =>
      JSON.parse(authority.checkScopes(JSON.stringify({ scopes })));
    expect(check([{ table: 'groups', where: ['like', 'name', 'Å%'] }]).scopes).toEqual([
      { table: 'groups', where: ['like', 'name', 'Å%'], tables: ['groups'] },
    ]);
    const sub = ['in', 'group', { table: 'groups', select: 'id', where: ['true'] }];
    expect(check([{ table: 'members', where: sub }]).scopes).toEqual([
      { table: 'members', where: sub, tables: ['members', 'groups'] },
    ]);
    const deeper = ['in', 'id', { table: 'members', select: 'group', where: sub }];
    expect(check([{ table: 'groups', where: deeper }]).error.code).toBe('invalid');
  });

  it('text other than JSON is an error, and the handle is finished', () => {
    const admission = owned(new module.Admission(authority));
    expect(JSON.parse(admission.step('{"now":')).error.code).toBe('parse');
    expect(step(admission, startPush()).error.code).toBe('misuse');
  });
});
