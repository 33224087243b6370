// Goal: a realm that a user may not read cannot be told from one that never was, or, by who is invited, from one that is empty: not
// by what of its log is forgotten, its streams, actions and snapshots, and not by the number and size of its rows, nor by the
// time that an answer takes. Method: a real server that keeps its log for a second, and the questions of isolation.test.ts.

import { describe, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { byNight } from '../support/rounds.ts';
import { postgresUrl } from './support/database.ts';
import { Caller, kSecret, tokenOf } from './support/isolation/caller.ts';
import { hiddenRealm, kHiddenArgs, kReducers, type Standing } from './support/isolation/hidden.ts';
import {
  type Asked,
  historyProbes,
  normal,
  type Probe,
  probes,
} from './support/isolation/probes.ts';
import { isolationSchema } from './support/isolation/schema.ts';
import { mark } from './support/isolation/secrets.ts';
import { invite } from './support/memberships.ts';
import { ServerTime } from './support/pull-time/server-time.ts';
import { type Json, uuid7 } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer({
  ...{ schema: isolationSchema, exports: kReducers },
  args: ['--secret', kSecret, '--invitations', 'consent', ...kHiddenArgs],
});

const callerOf = async (user: string) => new Caller(server.url, user, await tokenOf(user));

const all = [...probes, ...historyProbes];
/** Whoever asks these is no longer invited, or a realm that never was is founded by them. */
const isLast = (name: string) => name === 'push: leave';
const founds = (name: string) => name === 'push: found again';

const withoutRevision = (text: string) => text.replace(/("<realm>"):\d+/, '$1:0');

const standings: Standing[] = ['a stranger', 'a former member', 'an invited person'];

describe.each(standings.map((standing, i) => [standing, i] as const))('to %s', (standing, i) => {
  test('a realm whose log is forgotten is like one that never was', async () => {
    const [owner, reader] = [await callerOf(mark()), await callerOf(`eve-${mark()}`)];
    const targets = await hiddenRealm(standing, owner, reader);
    // By day each asks a third of the questions.
    const asked = all.filter(
      ([name], n) =>
        (byNight || n % standings.length === i) &&
        (standing === 'an invited person' || !founds(name)),
    );
    const differences: unknown[] = [];
    const ask = async ([name, probe]: readonly [string, Probe]) => {
      const answers: string[][] = [];
      for (const target of targets) {
        const caller = new Caller(server.url, reader.user, reader.token);
        const { answers: said, made }: Asked = await probe(target, caller);
        const texts = said.map((text) => normal(text, targets, made));
        // Who declines is told the revision of that (docs/security.md, "Known limits"), and has one invitation less.
        const isDeclined = standing === 'an invited person' && isLast(name);
        answers.push(isDeclined ? texts.slice(0, 2).map(withoutRevision) : texts);
      }
      const [about, twin] = answers;
      if (JSON.stringify(about) !== JSON.stringify(twin)) differences.push({ name, about, twin });
    };
    for (const probe of asked) if (!isLast(probe[0])) await ask(probe);
    for (const probe of asked) if (isLast(probe[0])) await ask(probe);
    expect(differences, JSON.stringify(targets)).toEqual([]);
  });
});

test('an invitation discloses the name of its realm and the inviter, and no more', async () => {
  const [owner, reader] = [await callerOf(mark()), await callerOf(`eve-${mark()}`)];
  const [{ realm }, twin] = await hiddenRealm('an invited person', owner, reader);
  const { body } = await reader.pull({ cursors: {}, floors: true, streams: [] });
  const invited = { role: 'writer', by: owner.user, at: expect.any(Number) };
  expect(body.invitations).toEqual(
    expect.arrayContaining([
      { realm, ...invited },
      { realm: twin.realm, ...invited },
    ]),
  );
  const { invitations: _invitations, ...rest } = body;
  for (const hidden of [realm, twin.realm, owner.user])
    expect(JSON.stringify(rest)).not.toContain(hidden);
});

/** Children of the hidden row, and of a note of the reader; and MB of a hidden row. */
const kChildren = byNight ? 19_500 : 1_500;
const kRounds = 12;

/** A realm with a row that has very many children, and as many rows that refer to a note of somebody else's. */
async function large(owner: Caller, note: string): Promise<{ realm: string; id: string }> {
  const [realm, id] = [uuid7(), mark()];
  const extra = 'x'.repeat(900_000);
  const row = { op: 'create', table: 'notes', id, realm, set: { name: mark(), extra } };
  expect(await owner.push([invite(realm, owner.user, 'owner'), row])).toMatchObject({
    status: 'applied',
  });
  for (let i = 0; i < kChildren; i += 1_500) {
    const ops = Array.from({ length: 1_500 }, (_, n) => ({
      ...{ op: 'create', table: n % 2 === 0 ? 'parts' : 'marks', id: mark(), realm },
      set: { name: 'child', note: n % 2 === 0 ? id : note },
    }));
    expect(await owner.push(ops)).toMatchObject({ status: 'applied' });
  }
  return { realm, id };
}

/** A little less than one transaction may read, in rows of the largest size. */
const kLongRows = Math.floor(limits.rowBytesPerTransaction / 901_000);

test.runIf(byNight)('beside as many own rows as an update may read, no row counts', async () => {
  const [owner, reader] = [await callerOf(mark()), await callerOf(`eve-${mark()}`)];
  const own = `user:${reader.user}`;
  const notes = Array.from({ length: kLongRows }, mark);
  const long = (id: string) => ({ op: 'create', table: 'notes', id, realm: own, set: { extra } });
  const extra = 'x'.repeat(900_000);
  for (let i = 0; i < kLongRows; i += 4)
    expect(await reader.push(notes.slice(i, i + 4).map(long))).toMatchObject({ status: 'applied' });
  const hidden = await large(owner, notes[0]!);
  const answers: unknown[] = [];
  for (const { realm, id } of [hidden, { realm: uuid7(), id: mark() }]) {
    const change = (id: string, realm: string) => ({
      ...{ op: 'update', table: 'notes', id, realm, set: { votes: 1 } },
    });
    const caller = new Caller(server.url, reader.user, reader.token);
    const { rejected } = await caller.push([
      ...notes.map((note) => change(note, own)),
      change(id, realm),
    ]);
    answers.push((rejected as Json[]).map(({ actions: _own, ...said }) => said));
  }
  expect(answers[0]).toMatchObject([{ code: 'forbidden' }]);
  expect(answers[0]).toEqual(answers[1]);
});

test('asking about a row takes as long, whatever it is and whoever refers to it', async () => {
  const [owner, reader] = [await callerOf(mark()), await callerOf(`eve-${mark()}`)];
  const own = `user:${reader.user}`;
  const notes = Array.from({ length: 2 * kRounds }, mark);
  const made = notes.map((id) => ({ op: 'create', table: 'notes', id, realm: own, set: {} }));
  expect(await reader.push(made)).toMatchObject({ status: 'applied' });
  const hidden = await large(owner, notes[0]!);
  const absent = { realm: uuid7(), id: mark() };
  const name = `skerry_${server.folder.path.slice(-6).toLowerCase()}`;
  const url = postgresUrl && Object.assign(new URL(postgresUrl), { pathname: `/${name}` }).href;
  const time = await ServerTime.of(server.pid ?? 0, url);
  const note = (n: number) => notes[n]!;
  // A client that was refused is not heard before it has said that it knows.
  const fresh = () => new Caller(server.url, reader.user, reader.token);
  const asking: Record<string, (about: typeof hidden, n: number) => Json[]> = {
    'a deletion': ({ realm, id }) => [{ op: 'delete', table: 'notes', id, realm }],
    'a move out of it': ({ realm, id }) => [{ op: 'move', table: 'notes', id, realm, to: own }],
    'a change': ({ realm, id }) => [
      { op: 'update', table: 'notes', id, realm, set: { name: 'x' } },
    ],
    'a ref from here': ({ id }) => [
      { op: 'create', table: 'parts', id: mark(), realm: own, set: { note: id } },
    ],
    'a change here, of what hidden rows refer to': ({ realm }, n) => [
      // To the first note hidden rows refer; to the others none do.
      {
        op: 'update',
        table: 'notes',
        id: note(realm === hidden.realm ? 0 : 1),
        realm: own,
        set: { votes: n },
      },
    ],
  };
  try {
    for (const [question, ops] of Object.entries(asking)) {
      const took: number[] = [];
      for (const about of [hidden, absent, hidden, absent]) {
        const before = await time.ms();
        for (let n = 0; n < kRounds; n++) {
          await fresh().push(ops(about, n));
        }
        took.push((await time.ms()) - before);
      }
      // By the processor's time of all rounds; it is counted in steps of 10 ms.
      const [there, gone] = [Math.min(took[0]!, took[2]!), Math.min(took[1]!, took[3]!)];
      expect(there, `${question}: ${took}`).toBeLessThan(3 * gone + 100);
    }
    const took: number[] = [];
    for (const id of [note(0), note(1)]) {
      const before = await time.ms();
      const erase = { op: 'delete', table: 'notes', id, realm: own };
      expect(await fresh().push([erase])).toMatchObject({ status: 'applied' });
      took.push((await time.ms()) - before);
    }
    expect(took[0], `a deletion: ${took}`).toBeLessThan(3 * took[1]! + 100);
  } finally {
    await time.end();
  }
});
