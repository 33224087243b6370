// What a reader without rights may ask about a realm and a row. Each is asked about something that exists and that the
// reader may not see, and about a twin that never existed: the answers must be the same.

import { invite, remove, setRole } from '../memberships.ts';
import type { Json } from '../server.ts';
import { uuid7 } from '../server.ts';
import type { Caller, Seen } from './caller.ts';

/** What is asked about. */
export interface Target {
  readonly realm: string;
  readonly table: string;
  readonly id: string;
  /** A text that the row holds. */
  readonly name: string;
  readonly member: string;
  readonly update: string;
  readonly action: string;
  readonly cursor: string;
  /** The path of an image of the realm. */
  readonly image: string;
  /** A `lastUpdateTime` of somebody who reads the realm. */
  readonly time: string;
  /** A note of the reader: hidden rows refer to it, or none do. */
  readonly note: string;
  /** A stream of the realm, and the path of a snapshot of its state. */
  readonly stream: string;
  readonly snapshot: string;
}

/** Pushes these ops, then pulls what they changed. */
type Ops = (target: Target, own: string) => Json[];

const at = ({ table, id, realm }: Target) => ({ table, id, realm });
const inOwn = ({ table, id }: Target, own: string) => ({ table, id, realm: own });

/** Ops that name the foreign realm. */
const foreign: Readonly<Record<string, Ops>> = {
  'create another': (target) => [{ op: 'create', ...at(target), id: uuid7(), set: { name: 'x' } }],
  update: (target) => [{ op: 'update', ...at(target), set: { name: 'x' } }],
  'update to the same': (target) => [{ op: 'update', ...at(target), set: { name: target.name } }],
  'update to what does not fit': (target) => [{ op: 'update', ...at(target), set: { name: 7 } }],
  inc: (target) => [{ op: 'inc', ...at(target), add: { votes: 1 } }],
  delete: (target) => [{ op: 'delete', ...at(target) }],
  'delete if unchanged': (target) => [{ op: 'delete', ...at(target), if: 1 }],
  'update if unchanged': (target) => [{ op: 'update', ...at(target), set: { name: 'x' }, if: 99 }],
  'move out': (target, own) => [{ op: 'move', ...at(target), to: own }],
  'move in': ({ realm, note }, own) => [
    { op: 'move', table: 'notes', id: note, realm: own, to: realm },
  ],
  'found again': ({ realm }, own) => [invite(realm, own.slice('user:'.length), 'owner')],
  'invite oneself': ({ realm }, own) => [invite(realm, own.slice('user:'.length), 'reader')],
  'invite another': ({ realm }) => [invite(realm, 'somebody', 'reader')],
  'invite a member': ({ realm, member }) => [invite(realm, member, 'writer')],
  'change a role': ({ realm, member }) => [setRole(realm, member, 'reader')],
  'remove a member': ({ realm, member }) => [remove(realm, member)],
  leave: ({ realm }, own) => [remove(realm, own.slice('user:'.length))],
  append: ({ realm, stream }) => [{ op: 'append', stream, realm }],
  offer: (target) => [{ op: 'offer', ...at(target), set: { name: 'x' } }],
  'write in both': (target, own) => [
    { op: 'create', table: 'notices', id: uuid7(), realm: own, set: { name: 'x' } },
    { op: 'update', ...at(target), set: { name: 'x' } },
  ],
};

/** Ops that name the foreign row in the reader's own realm. */
const squatting: Readonly<Record<string, Ops>> = {
  'update as if it were here': (target, own) => [
    { op: 'update', ...inOwn(target, own), set: { name: 'x' } },
  ],
  'delete as if it were here': (target, own) => [{ op: 'delete', ...inOwn(target, own) }],
  'move as if it were here': (target, own) => [
    { op: 'move', ...inOwn(target, own), to: 'user:nobody' },
  ],
  ...Object.fromEntries(
    ['parts', 'links', 'locks', 'marks'].map((table): [string, Ops] => [
      `refer to it from ${table}`,
      ({ id }, own) => [
        { op: 'create', table, id: uuid7(), realm: own, set: { name: 'x', note: id } },
      ],
    ]),
  ),
  'the same unique value': ({ name }, own) => [
    {
      ...{ op: 'create', table: 'notes', id: uuid7(), realm: own },
      set: { name: 'x', code: `code ${name}` },
    },
  ],
  'delete what hidden rows refer to': ({ note }, own) => [
    { op: 'delete', table: 'notes', id: note, realm: own },
  ],
};

/** Creates with an id that is taken in a realm that the reader may not see. */
const sameId: Readonly<Record<string, Ops>> = {
  create: (target) => [{ op: 'create', ...at(target), set: { name: 'x' } }],
  'create with its id': (target, own) => [
    { op: 'create', ...inOwn(target, own), set: { name: 'x' } },
  ],
  'create with its id, and delete': (target, own) => [
    { op: 'create', ...inOwn(target, own), set: { name: 'x' } },
    { op: 'delete', ...inOwn(target, own) },
  ],
};

type Call = (target: Target, own: string, caller: Caller) => [string, string, unknown?];

const scope = (where: unknown, filled: unknown = true, table = 'notes') => ({
  table,
  where,
  filled,
});
const pull = ({ id }: Caller, more: Json): [string, string, unknown] => [
  'POST',
  '/v1/pull',
  {
    ...{ client: id, schema: 1, cursors: {}, realmsToken: null, have: [], seen: {}, limit: 10_000 },
    ...{ scopes: [scope(['true'])], ...more },
  },
];

const pathOf = (realm: string, stream: string) =>
  `/v1/streams/${encodeURIComponent(realm)}/${encodeURIComponent(stream)}`;

/** Other calls that name the realm, the row, or what is in the realm's log. */
const calls: Readonly<Record<string, Call>> = {
  'pull from its cursor': ({ realm, cursor }, _own, caller) =>
    pull(caller, { cursors: { [realm]: cursor } }),
  'pull from its beginning': ({ realm }, _own, caller) =>
    pull(caller, { cursors: { [realm]: '0@0' }, refill: true }),
  'pull as if it had been seen': ({ realm }, _own, caller) =>
    pull(caller, { seen: { [realm]: 3 } }),
  'pull with an update of others': ({ update }, _own, caller) => pull(caller, { have: [update] }),
  'pull with an action of others': ({ action }, _own, caller) => pull(caller, { known: [action] }),
  'pull a scope of the realm': ({ realm, table }, _own, caller) =>
    pull(caller, { scopes: [scope(['=', 'realm', realm], false, table)] }),
  'pull a scope of the row': ({ id, table }, _own, caller) =>
    pull(caller, { scopes: [scope(['=', 'id', id], false, table)] }),
  'pull a scope of its text': ({ name, table }, _own, caller) =>
    pull(caller, { scopes: [scope(['like', 'name', `%${name}%`], false, table)] }),
  'pull from its id on': ({ id, table }, _own, caller) =>
    pull(caller, { scopes: [scope(['true'], id, table)] }),
  'pull from below its floor': ({ realm }, _own, caller) =>
    pull(caller, { cursors: { [realm]: '1@1' }, floors: true }),
  'pull it as one that is lost': ({ realm }, _own, caller) =>
    pull(caller, { lost: [realm], floors: true, cursors: { [realm]: '1@1' } }),
  'pull a sub-select of the row': ({ id }, own, caller) =>
    pull(caller, {
      scopes: [
        scope(
          ['in', 'note', { table: 'notes', select: 'id', where: ['=', 'id', id] }],
          false,
          'parts',
        ),
        scope(['not', ['in', 'name', { table: 'notes', select: 'name', where: ['true'] }]], false),
      ],
      refill: own !== '',
    }),
  'pull its stream': ({ stream }, _own, caller) =>
    pull(caller, { streams: [{ stream, version: 1, filled: {} }] }),
  'pull its stream from the middle': ({ realm, stream }, _own, caller) =>
    pull(caller, { streams: [{ stream, version: 1, filled: { [realm]: 2 } }] }),
  'pull the end of its stream': ({ stream }, _own, caller) =>
    pull(caller, { streams: [{ stream, last: 3, filled: {} }] }),
  'pull all streams': (_target, _own, caller) =>
    pull(caller, { streams: [{ stream: '*', version: 1, migrates: true, filled: {} }] }),
  'the past of a stream': ({ realm, stream }) => ['GET', pathOf(realm, stream)],
  'a page of it': ({ realm, stream }) => ['GET', `${pathOf(realm, stream)}?before=3.0&limit=2`],
  'a snapshot of a stream': ({ snapshot }) => ['GET', snapshot],
  'an image': ({ image }) => ['GET', image],
  'a table without the row': ({ id, table }) => [
    'POST',
    `/v1/tables/${table}`,
    { exclude: { [id]: 1 } },
  ],
  'a table from the time of another': ({ time, table }) => [
    'POST',
    `/v1/tables/${table}`,
    { lastUpdateTime: time },
  ],
  'the table by the name of the realm': ({ realm }) => [
    'GET',
    `/v1/tables/${encodeURIComponent(realm)}`,
  ],
  'a path by the name of the realm': ({ realm }) => ['GET', `/v1/${encodeURIComponent(realm)}`],
};

/** A way to ask. The result is each answer, with all that the caller can see of it. */
export type Probe = (target: Target, caller: Caller) => Promise<Asked>;

export interface Asked {
  readonly answers: readonly string[];
  /** The ids that the call has made. */
  readonly made: readonly string[];
}

/** Ids, revisions and times of an answer, which no two calls have in common, and the names that the two were about. */
export function normal(text: string, about: readonly Target[], made: readonly string[]): string {
  const named = about.flatMap((target) => Object.entries(target) as [string, string][]);
  const all = [...named, ...made.map((id): [string, string] => ['made', id])];
  let normalised = text;
  for (const [name, value] of all.sort(([, a], [, b]) => b.length - a.length)) {
    for (const written of new Set([value, encodeURIComponent(value)]))
      normalised = normalised.replaceAll(written, `<${name}>`);
  }
  return normalised
    .replaceAll(/"(time|at|createdAt|modifiedAt|revision)":\d+/g, '"$1":0')
    .replaceAll(/"lastUpdateTime":"[^"]*"/g, '"lastUpdateTime":""')
    .replaceAll(/\d+@\d+/g, '0@0')
    .replaceAll(/("user:[^"]*":)\d+/g, '$10');
}

const textOf = ({ status, headers, text }: Seen) => `${status} ${headers} ${text}`;

function byPush(ops: Ops, more: (target: Target) => Json = () => ({})): Probe {
  return async (target, caller) => {
    const own = `user:${caller.user}`;
    const before = await caller.pull({ scopes: [] });
    const cursors = before.body.cursors as Json;
    const update = caller.update(ops(target, own), more(target));
    const ids = [update.id, ...update.ops.map(({ id }) => String(id)), caller.id];
    const [action] = update.actions as Json[];
    const made = [...ids, String(action?.id)];
    const answers = [];
    // The second is a copy: it must be recognised alike.
    for (let copy = 0; copy < 2; copy++)
      answers.push(await caller.call('POST', '/v1/push', caller.pushBody([update])));
    const scopes = ['notes', 'parts', 'links', 'locks', 'marks'].map((table) =>
      scope(['true'], true, table),
    );
    const request = { ...caller.request({ scopes }), cursors, have: [update.id] };
    answers.push(await caller.call('POST', '/v1/pull', request));
    return { answers: answers.map(textOf), made };
  };
}

function byCall(call: Call): Probe {
  return async (target, caller) => {
    const [method, path, body] = call(target, `user:${caller.user}`, caller);
    return { answers: [textOf(await caller.call(method, path, body))], made: [caller.id] };
  };
}

const ofPushes = (all: Readonly<Record<string, Ops>>) =>
  Object.entries(all).map(([name, ops]): [string, Probe] => [`push: ${name}`, byPush(ops)]);

/** A create that any user may push; what is special are its ids. */
const harmless: Ops = (_target, own) => [
  { op: 'create', table: 'notices', id: uuid7(), realm: own, set: { name: 'x' } },
];

export const probes: readonly (readonly [string, Probe])[] = [
  ...ofPushes(foreign),
  ...ofPushes(squatting),
  ...Object.entries(calls).map(([name, call]): [string, Probe] => [name, byCall(call)]),
  ['push: the id of an update of others', byPush(harmless, ({ update }) => ({ id: update }))],
  [
    'push: the id of an action of others',
    byPush(harmless, ({ action }) => ({
      actions: [{ id: action, name: 'test', arg: null, at: 1 }],
    })),
  ],
  [
    'push: after an update of others',
    byPush(foreign.update!, ({ realm, update }) => ({
      after: { [realm]: { seq: 1, id: update } },
    })),
  ],
];

/** Actions of a write in the realm: as if the server knew them, or had forgotten them. */
const withAction = (more: (target: Target) => Json, base: number): Probe =>
  byPush(foreign.update!, (target) => ({
    actions: [{ id: uuid7(), name: 'test', arg: null, at: 1, ...more(target) }],
    base: { [target.realm]: base },
  }));

/** What is known, and what is forgotten, of the actions in the realm's log. */
export const historyProbes: readonly (readonly [string, Probe])[] = [0, 1_000].flatMap((base) =>
  Object.entries({
    'an action of its log': ({ action }: Target) => ({ id: action }),
    'an action of its log again': ({ action }: Target) => ({ id: action, again: true }),
    'an action of long ago': () => ({ replayed: true, at: 0 }),
    'an action tried again': () => ({ again: true }),
  }).map(([name, more]): [string, Probe] => [
    `push: ${name}, based on ${base}`,
    withAction(more, base),
  ]),
);

/** Ids belong to their realm. These are asked last: the reader then has rows with the ids of hidden ones. */
export const sameIdProbes = ofPushes(sameId);
