/**
 * Changes valid things so that they are wrong: answers of a server, records of IndexedDB, messages of the channel.
 * Everything comes from a seed.
 */
import type { MemoryResponse } from 'skerry/testing';

/** A generator of numbers below a limit (mulberry32). */
export function dice(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/** One object in sixty places of places: small as it is kept, and without end as it is written out. */
function manyTimesTheSame(): unknown {
  let node: unknown = { v: 1 };
  for (let i = 0; i < 60; i++) node = [node, node];
  return node;
}

function nested(depth: number): unknown {
  let node: unknown = 'deep';
  for (let i = 0; i < depth; i++) node = { id: node };
  return node;
}

function cyclic(): unknown {
  const node: Record<string, unknown> = { v: 1 };
  node['self'] = node;
  return node;
}

/** What structured clones can hold, and no part of ours is. */
export function nonsense(): unknown[] {
  return [
    null,
    undefined,
    true,
    -1,
    Number.NaN,
    2 ** 60,
    '',
    '\ud800',
    'type',
    10n,
    new Date(0),
    new Map([['v', 1]]),
    new Uint8Array(3),
    [undefined],
    [],
    {},
    { v: 1 },
    { v: 1, id: 'x', body: new Uint8Array(40), key: 7, n: 2 ** 53, realms: 5, update: {} },
    { v: 2, id: {}, n: 'many' },
    { type: 'record', record: null },
    { type: 'added', items: [null, { id: 'x', key: 4, record: {} }] },
    {
      type: 'status',
      shared: { scopes: [null], phase: {}, error: { code: 'constructor' } },
      n: 99,
    },
    { type: 'lease', name: 'push', lease: { owner: 5, epoch: Number.POSITIVE_INFINITY } },
    { type: 'logged', n: 2 ** 53, cursors: 'x' },
    { type: {}, toString: 'x' },
    nested(200),
    cyclic(),
    manyTimesTheSame(),
  ];
}

/** Not 400, 413 and 422, by which a server refuses what it was sent. */
const statuses = [204, 301, 403, 404, 408, 418, 425, 429, 500, 503, 599];

/** A server's answer, made malformed in one of several ways, by `random`. */
export function twistAnswer(
  honest: MemoryResponse,
  random: (limit: number) => number,
): MemoryResponse {
  const text = typeof honest.body === 'string' ? honest.body : '{}';
  const json = (body: unknown, status = honest.status) => ({
    status,
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  switch (random(10)) {
    case 0:
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>log in</html>' };
    case 1:
      return json(text.slice(0, random(text.length)));
    case 2:
      return json('');
    case 3:
      return {
        ...honest,
        body: new Uint8Array([0xff, 0xfe, 0, ...new TextEncoder().encode(text)]),
      };
    case 4: {
      const codes = ['constructor', '__proto__', 'toString', '', 'x'.repeat(1000), 5, null];
      const status = statuses[random(statuses.length)] as number;
      return json({ status, code: codes[random(codes.length)], detail: { a: [] } }, status);
    }
    case 5:
      return { status: statuses[random(statuses.length)] as number, body: 'no' };
    case 6:
      return json(`${'['.repeat(100_000)}${text}`);
    case 7:
      return json(' '.repeat(9 << 20));
    case 8:
      return json([text]);
    default: {
      // A member that has to be there, and is something else.
      const answer = JSON.parse(text) as Record<string, unknown>;
      for (const member of ['time', 'cursors', 'results']) {
        const wrong = [null, true, -1, 'x', [5], { a: { b: [null] } }];
        if (member in answer) answer[member] = wrong[random(member === 'time' ? 3 : 4)];
      }
      return json(answer);
    }
  }
}
