// Goal: group commit loses nothing, doubles nothing and keeps the order of every client. Method: a committer that
// records its input, and fails as databases do.

import { describe, expect, test } from 'vitest';
import { AuthorityError } from '../../server/src/authority/authority.ts';
import { limits } from '../../server/src/base/limits.ts';
import { Problem } from '../../server/src/base/problem.ts';
import { DatabaseTimeout } from '../../server/src/db/database.ts';
import { RealmsBusy } from '../../server/src/push/locks.ts';
import { DatabaseError, request, statuses, turn, userOf, world } from './support/flushing.ts';

describe('the flusher', () => {
  test('puts everything that waits into one transaction, in the order of arrival', async () => {
    const { flusher, calls } = world();
    await Promise.all([
      flusher.push(request('a', ['a1', 'a2'])),
      flusher.push(request('b', ['b1'])),
      flusher.push(request('a', ['a3'])),
    ]);
    expect(calls).toEqual([['a1', 'a2', 'b1', 'a3']]);
  });

  test('splits a group until an update with an impossible value is rejected alone', async () => {
    const { flusher, applied, refused } = world((ids, { refuse }) => {
      if (ids.includes('bad') && refuse?.length === 0) throw new DatabaseError('22P05');
    });
    const [first, second] = await Promise.all([
      flusher.push(request('a', ['a1', 'bad', 'a2'])),
      flusher.push(request('b', ['b1'])),
    ]);
    expect(statuses(first)).toEqual(['applied', 'rejected', 'applied']);
    expect(statuses(second)).toEqual(['applied']);
    expect(applied).toEqual(['a1', 'a2', 'b1']);
    expect(refused).toEqual(['bad']);
  });

  test('fails a request that the authority cannot read, but not the others', async () => {
    const { flusher, applied } = world((ids) => {
      if (ids.includes('b1')) throw new AuthorityError('parse', 'not an update');
    });
    const results = await Promise.allSettled([
      flusher.push(request('a', ['a1'])),
      flusher.push(request('b', ['b0', 'b1'])),
      flusher.push(request('c', ['c1'])),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const [, failed] = results;
    expect((failed as PromiseRejectedResult).reason).toMatchObject({ code: 'invalid' });
    expect(applied).toEqual(['a1', 'c1']);
  });

  test.each(['40001', '40P01', '57P01', 'ECONNRESET'])('tries again after %s', async (code) => {
    const { flusher, calls, pauses } = world((_ids, _options, call) => {
      if (call < 3) throw new DatabaseError(code);
    });
    expect(statuses(await flusher.push(request('a', ['a1'])))).toEqual(['applied']);
    expect(calls).toHaveLength(3);
    expect(pauses).toHaveLength(2);
  });

  test('fails a push after so many tries, and continues with the next one', async () => {
    let broken = true;
    const { flusher, calls } = world(() => {
      if (broken) throw new DatabaseError('40001');
    });
    await expect(flusher.push(request('a', ['a1']))).rejects.toMatchObject({ code: 'busy' });
    expect(calls).toHaveLength(limits.transactionTries);
    broken = false;
    expect(statuses(await flusher.push(request('a', ['a1'])))).toEqual(['applied']);
  });

  test.each([new DatabaseError('57014'), new DatabaseTimeout('no answer')])(
    'does not retry when the database hangs (%s)',
    async (error) => {
      const { flusher, calls } = world(() => {
        throw error;
      });
      await expect(flusher.push(request('a', ['a1']))).rejects.toMatchObject({ code: 'busy' });
      expect(calls).toHaveLength(1);
    },
  );

  test('hides an internal error from the caller', async () => {
    const { flusher } = world(() => {
      throw new Error('a secret path');
    });
    const error = await flusher.push(request('a', ['a1'])).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ code: 'internal' });
    expect((error as Problem).message).not.toContain('secret');
  });

  test('postpones updates of busy realms and clients, and waits after two skips', async () => {
    const waits: boolean[] = [];
    const { flusher, calls, applied } = world((ids, { wait }) => {
      if (ids.includes('busy1')) {
        waits.push(wait);
        if (!wait) throw new RealmsBusy(new Set(['busy']));
      }
    });
    await Promise.all([
      flusher.push(request('a', ['a1'])),
      flusher.push(request('b', ['busy1'], 'busy')),
      flusher.push(request('b', ['b2'])),
      flusher.push(request('c', ['c1'])),
    ]);
    // The rest of the group continued without it; the client's later update came after it.
    expect(calls[1]).toEqual(['a1', 'c1']);
    expect(waits).toEqual([false, false, true]);
    expect(applied).toEqual(['a1', 'c1', 'busy1', 'b2']);
  });

  test('runs a large group beside another, unless they share a client or realm', async () => {
    const { flusher, calls, applied } = world(undefined, 5);
    const group = (name: string) =>
      Array.from({ length: limits.updatesBesideAnother }, (_, i) =>
        flusher.push(request(`${name}${i}`, [`${name}${i}`], name)),
      );
    const first = group('r');
    await turn();
    expect(calls).toHaveLength(1);
    // All of one realm in progress, and a client that waits behind one of them; then another realm.
    const same = [
      flusher.push(request('one', ['one1'], 'r')),
      flusher.push(request('one', ['one2'], 's')),
      ...group('s'),
    ];
    const other = group('t');
    await Promise.all([...first, ...same, ...other]);
    const [, second, third] = calls;
    expect(second!.every((id) => id.startsWith('t'))).toBe(true);
    expect(third!.slice(0, 2)).toEqual(['one1', 'one2']);
    expect(applied).toHaveLength(3 * limits.updatesBesideAnother + 2);
  });

  test('keeps a few updates waiting for the end of the current group', async () => {
    const { flusher, calls } = world(undefined, 5);
    const first = flusher.push(request('a', ['a1'], 'r'));
    await turn();
    await Promise.all([first, flusher.push(request('b', ['b1'], 's'))]);
    expect(calls).toEqual([['a1'], ['b1']]);
  });

  test('shares waiting pushes between two groups without splitting a realm', async () => {
    const { flusher, calls } = world();
    const realms = ['r', 's', 't', 'u'];
    const pushes = Array.from({ length: 4 * limits.updatesBesideAnother }, (_, i) =>
      flusher.push(request(`c${i}`, [`${realms[i % 4]}${i}`], realms[i % 4])),
    );
    await Promise.all(pushes);
    const firstLetters = calls.map((ids) => [...new Set(ids.map((id) => id[0]))].join());
    expect(firstLetters).toEqual(['r,s', 't,u']);
  });

  test('puts a realm larger than a share into one group', async () => {
    const { flusher, calls } = world();
    const count = 3 * limits.updatesBesideAnother;
    const push = (i: number) => flusher.push(request(`c${i}`, [`u${i}`], i === 0 ? 's' : 'r'));
    await Promise.all(Array.from({ length: count }, (_, i) => push(i)));
    expect(calls.map((ids) => ids.length)).toEqual([1, count - 1]);
  });

  test('waits for a realm that an object moved to, though no push names it', async () => {
    const waits: boolean[] = [];
    const { flusher } = world((_ids, { wait }) => {
      waits.push(wait);
      if (!wait) throw new RealmsBusy(new Set(['elsewhere']));
    });
    expect(statuses(await flusher.push(request('a', ['a1'])))).toEqual(['applied']);
    expect(waits).toEqual([false, true]);
  });

  test('counts waiting bytes correctly after a push was postponed twice', async () => {
    let passes = 0;
    const { flusher } = world((ids) => {
      if (ids.includes('busy1') && ++passes <= 2) throw new RealmsBusy(new Set(['busy']));
    });
    const large = (client: string) => ({
      ...request(client, [`${client}1`], 'busy'),
      bytes: Math.floor((limits.waitingBytes / 64) * 30),
    });
    await flusher.push(large('busy'));
    expect(passes).toBe(3);
    const taken = [flusher.push(large('a')), flusher.push(large('b'))];
    expect(() => flusher.push(large('c'))).toThrow(/waiting/);
    await Promise.all(taken);
  });

  test('limits a user with many clients to an equal share', async () => {
    const { flusher, calls } = world();
    const many = Array.from({ length: 400 }, (_, i) =>
      flusher.push(request(`m${i}`, [`m${i}`], 'r', userOf('mallory'))),
    );
    const others = ['ben', 'cleo', 'dan'].map((of) =>
      flusher.push(request(of, [of], 'r', userOf(of))),
    );
    await Promise.all([...many, ...others]);
    const [first = []] = calls;
    expect(first).toEqual(expect.arrayContaining(['ben', 'cleo', 'dan']));
    expect(first.filter((id) => id.startsWith('m'))).toHaveLength(limits.updatesPerFlush / 4);
    expect(calls.flat().filter((id) => id.startsWith('m'))).toEqual(many.map((_, i) => `m${i}`));
  });

  const large = (name: string, realm: string) => ({
    ...request(name, [name], realm, userOf('mallory')),
    cost: { keys: 1, written: 3 << 20 },
  });

  test('runs a large push alone, and those of others beside it', async () => {
    const { flusher, calls, applied } = world(undefined, 5);
    const many = [1, 2, 3].map((i) => flusher.push(large(`m${i}`, 'r')));
    const first = flusher.push(request('ben', ['b1'], 's', userOf('ben')));
    await first;
    expect(calls.slice(0, 2)).toEqual([['m1'], ['b1']]);
    await Promise.all(many);
    expect(applied.filter((id) => id.startsWith('m'))).toEqual(['m1', 'm2', 'm3']);
  });

  test("runs others' pushes of a realm after one group of large ones, not all", async () => {
    const { flusher, calls } = world();
    const many = Array.from({ length: 12 }, (_, i) => flusher.push(large(`m${i}`, 'r')));
    const late = flusher.push(request('ben', ['ben'], 'r', userOf('ben')));
    await Promise.all([...many, late]);
    expect(calls[1]).toEqual(['ben']);
  });

  test('runs pushes of a delayed user after the delay, and those of others before', async () => {
    const { flusher, calls, rests } = world();
    rests.add('mallory');
    const waiting = flusher.push(request('m', ['m'], 'r', userOf('mallory')));
    await flusher.push(request('ben', ['ben'], 'r', userOf('ben')));
    expect(calls).toEqual([['ben']]);
    rests.clear();
    await waiting;
    expect(calls).toEqual([['ben'], ['m']]);
  });

  test('runs pushes of delayed users before the server stops', async () => {
    const { flusher, calls, rests } = world();
    rests.add('mallory');
    const waiting = flusher.push(request('m', ['m'], 'r', userOf('mallory')));
    await turn();
    await flusher.close();
    expect(statuses(await waiting)).toEqual(['applied']);
    expect(calls).toEqual([['m']]);
  });

  test('charges the cost of a transaction to its users by their work', async () => {
    const { flusher, charged } = world((_ids, { spent }) => {
      spent?.(60);
    });
    const more = { keys: 900, written: 0 };
    await Promise.all([
      flusher.push({ ...request('m', ['m'], 'r', userOf('mallory')), cost: more }),
      flusher.push({ ...request('b', ['b'], 'r', userOf('ben')), cost: { keys: 100, written: 0 } }),
    ]);
    await flusher.close();
    expect(charged).toEqual([
      ['mallory', 54],
      ['ben', 6],
    ]);
  });

  test('charges a user for changes beyond the rows that the push names', async () => {
    const cascade = { realm: 'r', revision: 1, client: 'm', tables: [], streams: [] };
    const { flusher, charged } = world((_ids, { spent }) => spent?.(100) ?? undefined, 1, [
      { ...cascade, changes: 98, bytes: 0, appends: 0 },
    ]);
    const cost = { keys: 1, written: 0 };
    await Promise.all([
      flusher.push({ ...request('m', ['m'], 'r', userOf('mallory')), cost }),
      flusher.push({ ...request('b', ['b'], 'r', userOf('ben')), cost }),
    ]);
    await flusher.close();
    expect(charged).toEqual([
      ['mallory', 99],
      ['ben', 1],
    ]);
  });

  test('alternates large pushes of several users with those of others', async () => {
    const { flusher, calls } = world(undefined, 5);
    const of = (user: string, name: string, realm: string) => ({
      ...large(name, realm),
      client: name,
      user: userOf(user),
    });
    const all = [
      flusher.push(of('mallory', 'm1', 'm')),
      flusher.push(of('nick', 'n1', 'n')),
      flusher.push(of('mallory', 'm2', 'mm')),
      flusher.push(of('nick', 'n2', 'nn')),
    ];
    await turn();
    // One of two concurrent transactions is left to the others.
    expect(calls).toEqual([['m1']]);
    await flusher.push(request('ben', ['b1'], 'b', userOf('ben')));
    await Promise.all(all);
    expect(calls).toEqual([['m1'], ['b1'], ['n1'], ['m2'], ['n2']]);
  });

  test('delays a large push by at most one turn of small ones in its realm', async () => {
    const { flusher, calls } = world(undefined, 3);
    const small = (i: number) =>
      flusher.push(request(`s${i}`, [`s${i}`], `s${i}`, userOf(`u${i % 7}`)));
    const crowd: Promise<unknown>[] = [flusher.push(large('m1', 'm'))];
    await turn();
    for (let i = 0; i < 10; i++) crowd.push(small(i));
    crowd.push(flusher.push({ ...large('m2', 'mm'), client: 'm2' }));
    // More pushes keep arriving, always more than one transaction takes.
    for (let i = 10; i < 400; i++) crowd.push(small(i));
    await Promise.all(crowd);
    const turns = calls.findIndex((ids) => ids.includes('m2'));
    expect(turns).toBeLessThan(5);
  });

  test("drops a delayed user's push from a full queue for one of another user", async () => {
    const { flusher, calls, rests } = world();
    const users = ['m1', 'm2', 'm3', 'm4'];
    for (const user of users) rests.add(user);
    const resting = users.flatMap((user) =>
      Array.from({ length: limits.waitingPushesPerUser }, (_, i) =>
        flusher.push(request(`${user}-${i}`, [`${user}-${i}`], user, userOf(user))),
      ),
    );
    const refused = Promise.allSettled(resting);
    await flusher.push(request('ben', ['ben'], 'b', userOf('ben')));
    expect(calls).toEqual([['ben']]);
    rests.clear();
    const failed = (await refused).filter(({ status }) => status === 'rejected');
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ reason: { code: 'rate_limited' } });
  });

  test('drops a waiting push of a disconnected caller, but finishes a running one', async () => {
    const { flusher, applied } = world();
    const [first, second] = [new AbortController(), new AbortController()];
    const underWay = flusher.push({ ...request('a', ['a1']), signal: first.signal });
    await turn();
    const waiting = flusher.push({ ...request('a', ['a2']), signal: second.signal });
    const gone = new Error('gone');
    first.abort(gone);
    second.abort(gone);
    await expect(waiting).rejects.toBe(gone);
    expect(statuses(await underWay)).toEqual(['applied']);
    await flusher.push(request('b', ['b1']));
    expect(applied).toEqual(['a1', 'b1']);
  });

  test('stops a push of several transactions when its caller disconnects', async () => {
    const gone = new AbortController();
    const { flusher, calls } = world(() => {
      gone.abort(new Error('gone'));
      return 1;
    });
    const push = flusher.push({ ...request('a', ['a1', 'a2', 'a3']), signal: gone.signal });
    await expect(push).rejects.toThrow('gone');
    await flusher.close();
    expect(calls).toEqual([['a1', 'a2', 'a3']]);
  });

  test('refuses pushes beyond its limits, per user and in total, and once closed', async () => {
    const { flusher } = world();
    const pushes = Array.from({ length: limits.waitingPushes }, (_, i) =>
      flusher.push(request(`c${i}`, [`u${i}`], 'r', userOf(`user-${i % 5}`))),
    );
    expect(() => flusher.push(request('one', ['more']))).toThrow(/waiting/);
    const closed = flusher.close();
    expect(() => flusher.push(request('late', ['u']))).toThrow(/stopping/);
    await closed;
    expect(await Promise.all(pushes)).toHaveLength(limits.waitingPushes);
    const other = world().flusher;
    const mine = Array.from({ length: limits.waitingPushesPerUser }, (_, i) =>
      other.push(request(`c${i}`, [`u${i}`])),
    );
    expect(() => other.push(request('one', ['more']))).toThrow(/of this user/);
    const another = other.push(request('two', ['more'], 'r', userOf('ben')));
    expect(await Promise.all([...mine, another])).toHaveLength(mine.length + 1);
  });
});
