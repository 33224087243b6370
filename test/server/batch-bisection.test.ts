// Goal: a failure affects only the user who caused it, whatever its code, and costs the others little. Method: groups
// of pushes by many users over a committer that fails whenever one of them is in the group.

import { describe, expect, test } from 'vitest';
import { AuthorityError } from '../../server/src/authority/authority.ts';
import { TrappedElsewhere } from '../../server/src/authority/authority-link.ts';
import { limits } from '../../server/src/base/limits.ts';
import { Problem } from '../../server/src/base/problem.ts';
import { DatabaseTimeout } from '../../server/src/db/database.ts';
import { TooMuchRead } from '../../server/src/sql/row-budget.ts';
import { DatabaseError, request, statuses, turn, userOf, world } from './support/flushing.ts';

const pushOf = (user: string, ids: readonly string[] = [`${user}1`]) =>
  request(`of-${user}`, ids, 'r', userOf(user));

const others = Array.from({ length: 12 }, (_, i) => `u${i}`);
/** The culprit is in the middle. */
const group = [...others.slice(0, 5), 'culprit', ...others.slice(5)];

/** The result of each user's push: the statuses, or the code of the failure. */
async function outcomes(
  flusher: ReturnType<typeof world>['flusher'],
  users: readonly string[],
): Promise<Record<string, string>> {
  const results = await Promise.all(
    users.map((user) =>
      flusher.push(pushOf(user)).then(
        (answer) => statuses(answer).join(),
        (error: unknown) => (error as Problem).code ?? String(error),
      ),
    ),
  );
  return Object.fromEntries(users.map((user, i) => [user, results[i] as string]));
}

const fine = Object.fromEntries(others.map((user) => [user, 'applied']));

describe('a group that fails because of one push', () => {
  test.each([
    ['a value of class 22', () => new DatabaseError('22P05'), 'rejected'],
    ['a value of class 23', () => new DatabaseError('23505'), 'rejected'],
    ['a limit of the database, class 54', () => new DatabaseError('54000'), 'rejected'],
    ['more rows than may be read', () => new TooMuchRead(), 'rejected'],
    ['a serialization failure that repeats', () => new DatabaseError('40001'), 'busy'],
    ['a deadlock that repeats', () => new DatabaseError('40P01'), 'busy'],
    ['an internal error of the database', () => new DatabaseError('XX000'), 'busy'],
    ['a statement that takes too long', () => new DatabaseError('57014'), 'busy'],
    ['objects that move about', () => new Problem('busy', 'They moved.'), 'busy'],
    ['a request that cannot be read', () => new AuthorityError('parse', 'no'), 'invalid'],
    ['an error that nothing explains', () => new RangeError('too deep'), 'internal'],
    ['a trap of the authority', () => new WebAssembly.RuntimeError('unreachable'), 'internal'],
  ])('by %s: only its caller gets the error', async (_what, error, code) => {
    const { flusher, calls } = world((ids, { refuse }) => {
      if (ids.includes('culprit1') && refuse?.length === 0) throw error();
    });
    expect(await outcomes(flusher, group)).toEqual({ ...fine, culprit: code });
    // Each half is tried at most twice.
    const halvings = Math.ceil(Math.log2(group.length));
    expect(calls.length).toBeLessThan(
      limits.groupTries + 2 * 2 * halvings + limits.transactionTries,
    );
  });

  test('by its reads: it gets a separate transaction, after the others', async () => {
    const { flusher, applied } = world((ids, { isShared }) => {
      if (ids.includes('culprit1') && isShared) throw new TooMuchRead();
    });
    expect(await outcomes(flusher, group)).toEqual({ ...fine, culprit: 'applied' });
    expect(applied.at(-1)).toBe('culprit1');
  });

  test('delays the others by less than a fifth of a second', async () => {
    const { flusher, pauses, applied } = world((ids) => {
      if (ids.includes('culprit1')) throw new DatabaseError('40001');
    });
    await outcomes(flusher, [...others, 'culprit']);
    // The culprit is last here: the pauses before it is alone.
    const alone = Array.from({ length: limits.transactionTries - 1 }, (_, i) => 5 * 2 ** (i + 1));
    const together = pauses.slice(0, pauses.length - alone.length);
    expect(pauses.slice(-alone.length)).toEqual(alone);
    expect(together.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(200);
    expect(applied).toHaveLength(others.length);
  });

  test('retries a part that failed because of another request', async () => {
    const { flusher } = world((_ids, _options, call) => {
      if (call === 1) throw new TrappedElsewhere();
    });
    expect(await outcomes(flusher, ['anna'])).toEqual({ anna: 'applied' });
  });

  test('answers with an error if even the rejection cannot be stored', async () => {
    const { flusher } = world((ids) => {
      if (ids.includes('culprit1')) throw new DatabaseError('22P05');
    });
    expect(await outcomes(flusher, group)).toEqual({ ...fine, culprit: 'invalid' });
  });

  test.each([
    [limits.timeoutsAlone, '57014'],
    [limits.failuresAlone, '40001'],
  ])('after %i pushes that failed alone by %s nobody is to blame', async (most, code) => {
    const users = Array.from({ length: 64 }, (_, i) => `v${i}`);
    const { flusher, calls } = world(() => {
      throw new DatabaseError(code);
    });
    expect(Object.values(await outcomes(flusher, users))).toEqual(users.map(() => 'busy'));
    const alone = new Set(calls.filter((ids) => ids.length === 1).map(([id]) => id));
    expect(alone.size).toBe(most);
  });
});

test.each(['57P01', '08006', '53100', '58030', '25006', 'ECONNREFUSED'])(
  'blames no push and splits no group when the database says %s',
  async (code) => {
    const { flusher, calls } = world(() => {
      throw new DatabaseError(code);
    });
    const results = await outcomes(flusher, others);
    expect(new Set(Object.values(results))).toEqual(new Set(['busy']));
    expect(calls.every((ids) => ids.length === others.length)).toBe(true);
    expect(calls).toHaveLength(limits.groupTries);
  },
);

test('tries only once when the database does not answer', async () => {
  const { flusher, calls } = world(() => {
    throw new DatabaseTimeout('no answer');
  });
  expect(new Set(Object.values(await outcomes(flusher, others)))).toEqual(new Set(['busy']));
  expect(calls).toHaveLength(1);
});

describe('a user who has made a group fail', () => {
  async function afterFailure() {
    const played = world((ids) => {
      if (ids.includes('culprit1')) throw new DatabaseError('40001');
    });
    await outcomes(played.flusher, group);
    played.calls.length = 0;
    return played;
  }
  const pushAll = (flusher: ReturnType<typeof world>['flusher']) =>
    Promise.all([
      flusher.push(pushOf('u0', ['a'])),
      flusher.push(pushOf('culprit', ['b'])),
      flusher.push(pushOf('u1', ['c'])),
      flusher.push({ ...pushOf('culprit', ['d']), client: 'another device' }),
    ]);

  test('is grouped with nobody else for a while, and delays no others of its realms', async () => {
    const { flusher, calls } = await afterFailure();
    await pushAll(flusher);
    expect(calls).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ]);
  });

  test('is grouped normally after that time', async () => {
    const { flusher, calls, clock } = await afterFailure();
    clock.now += limits.isolationMs + 1;
    await pushAll(flusher);
    expect(calls).toEqual([['a', 'b', 'c', 'd']]);
  });

  test('is not kept apart if the group had no other user', async () => {
    const { flusher, calls } = world((ids) => {
      if (ids.includes('culprit1')) throw new DatabaseError('40001');
    });
    await outcomes(flusher, ['culprit']);
    calls.length = 0;
    await pushAll(flusher);
    expect(calls).toEqual([['a', 'b', 'c', 'd']]);
  });
});

describe('updates that a transaction leaves for later', () => {
  /** A transaction decides one update of `big`, and no more. */
  const rule = (ids: readonly string[]) => {
    const big = ids.findIndex((id) => id.startsWith('big'));
    return big < 0 ? undefined : big + 1;
  };

  test("goes into later transactions, after the others, in each client's order", async () => {
    const { flusher, calls, applied, pauses } = world(rule);
    const pushes = [
      flusher.push(pushOf('u0', ['a'])),
      flusher.push(pushOf('big', ['big1', 'big2', 'big3'])),
      flusher.push(pushOf('big', ['big4'])),
      flusher.push(pushOf('u1', ['b'])),
    ];
    await turn();
    pushes.push(flusher.push(pushOf('u2', ['c'])));
    const answers = await Promise.all(pushes);
    expect(answers.flatMap(statuses)).toEqual(Array.from({ length: 7 }, () => 'applied'));
    expect(applied).toEqual(['a', 'big1', 'b', 'c', 'big2', 'big3', 'big4']);
    expect(calls[1]).toEqual(['b', 'c']);
    // Each time there is a pause, in which callers are read.
    expect(pauses).toEqual([1, 2, 3].map(() => limits.pauseBesideLeftMs));
  });

  test('does not let other parts of a split group overtake earlier updates', async () => {
    const { flusher, applied } = world((ids, { refuse }) => {
      if (ids.includes('bad') && refuse?.length === 0) throw new DatabaseError('22P05');
      return rule(ids);
    });
    await flusher.push(pushOf('big', ['big1', 'big2', 'x', 'bad', 'y']));
    expect(applied).toEqual(['big1', 'big2', 'x', 'y']);
  });
});

test.each([
  ['keys', { keys: limits.keysPerFlush / 2 + 1, written: 1 }],
  ['bytes of the log', { keys: 1, written: limits.bytesPerFlush / 2 + 1 }],
])('pushes of many %s do not go into one transaction', async (_what, cost) => {
  const { flusher, calls } = world();
  await Promise.all(others.slice(0, 3).map((user) => flusher.push({ ...pushOf(user), cost })));
  expect(calls).toEqual([['u01'], ['u11'], ['u21']]);
});

test('committed entries name their author', async () => {
  const users = ['anna', 'bo'];
  const entries = users.map((user) => ({
    ...{ realm: 'r', revision: 1, client: `of-${user}`, tables: [], streams: [] },
    ...{ changes: 1, bytes: 1, appends: 0 },
  }));
  const { flusher, committed } = world(undefined, 1, entries);
  await outcomes(flusher, users);
  expect(committed.map(({ client, author }) => [client, author])).toEqual(
    users.map((user) => [`of-${user}`, user]),
  );
});
