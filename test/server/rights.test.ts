// Goal: memberships decide who reads and writes a realm, from the moment at which they are in the log, whichever way
// it is read. Method: a real server process, and users that speak the wire by hand.

import { describe, expect, test } from 'vitest';
import { city, invite, remove, setRole } from './support/memberships.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer();

/** A user with one client, which holds the rows of its scopes. */
class Person {
  readonly client: WireClient;
  readonly rows = new Map<string, Json>();

  constructor(user: string) {
    this.client = new WireClient(server.url, user);
    this.client.scopes = [{ table: 'cities', where: ['true'], filled: true }];
  }

  /** The status of one update, or the code of its refusal; a refused update leaves the chain. */
  async push(...ops: Json[]): Promise<string> {
    const chain = { ...this.client.chain };
    const result = await this.client.push(ops);
    if (result.status === 'applied') return 'applied';
    this.client.chain = chain;
    return String((result.rejected as Json[] | undefined)?.[0]?.code ?? result.status);
  }

  /** The ids of the rows of a realm, after a pull. */
  async sees(realm: string): Promise<string[]> {
    await this.client.sync(this.rows);
    return [...this.rows.keys()]
      .filter((key) => key.startsWith(`${realm} `))
      .map((key) => key.split(' ')[2] ?? '')
      .sort();
  }
}

const people = () => [new Person('anna'), new Person('bo')] as const;

async function founded(owner: Person): Promise<string> {
  const realm = uuid7();
  expect(
    await owner.push(invite(realm, owner.client.user, 'owner'), city(realm, `c-${realm}`)),
  ).toBe('applied');
  return realm;
}

describe('a realm that is founded', () => {
  test('has its founder as owner, who sees the membership without asking for it', async () => {
    const [anna, bo] = people();
    const realm = await founded(anna);
    expect(await anna.sees(realm)).toEqual([`${realm}/anna`, `c-${realm}`].sort());
    expect(anna.rows.get(`${realm} $members ${realm}/anna`)).toMatchObject({
      user: 'anna',
      role: 'owner',
    });
    expect(await bo.sees(realm)).toEqual([]);
    expect(Object.keys(bo.client.cursors)).not.toContain(realm);
  });

  test('is seen from an invitation on, and no longer after a removal', async () => {
    const [anna, bo] = people();
    const realm = await founded(anna);
    await bo.sees(realm);
    expect(await anna.push(invite(realm, 'bo', 'reader'))).toBe('applied');
    expect(await bo.sees(realm)).toEqual([`${realm}/anna`, `${realm}/bo`, `c-${realm}`].sort());
    expect(await bo.push(city(realm, `x-${realm}`))).toBe('forbidden');
    expect(await anna.push(setRole(realm, 'bo', 'writer'))).toBe('applied');
    expect(await bo.push(city(realm, `x-${realm}`))).toBe('applied');
    expect(await anna.push(remove(realm, 'bo'))).toBe('applied');
    const { body } = await bo.client.pull();
    expect(body.revoked).toEqual([realm]);
    expect(JSON.stringify(body.changes)).not.toContain(realm);
    expect(await bo.push(city(realm, `y-${realm}`))).toBe('forbidden');
  });

  test('answers copies of decided updates from the chain, whatever the rights are now', async () => {
    const [anna, bo] = people();
    const realm = await founded(anna);
    const refused = bo.client.update([city(realm, `r-${realm}`)]);
    const statusOf = async (update: Json) => {
      const { body } = await bo.client.send([update]);
      return (body.results as Json[])[0]?.status;
    };
    expect(await statusOf(refused)).toBe('rejected');
    expect(await anna.push(invite(realm, 'bo', 'writer'))).toBe('applied');
    expect(await statusOf(refused)).toBe('rejected');
    bo.client.chain = {};
    const applied = bo.client.update([city(realm, `a-${realm}`)]);
    expect(await statusOf(applied)).toBe('applied');
    expect(await anna.push(remove(realm, 'bo'))).toBe('applied');
    expect(await statusOf(applied)).toBe('duplicate');
    expect(await bo.push(city(realm, `b-${realm}`))).toBe('forbidden');
  });

  test('is never made by a claim, nor by a write', async () => {
    const [anna, bo] = people();
    const realm = uuid7();
    expect(await bo.push(city(realm, `x-${realm}`))).toBe('forbidden');
    expect(await bo.push(invite(realm, 'anna', 'owner'))).toBe('forbidden');
    expect(await anna.push(invite(realm, 'anna', 'owner'))).toBe('applied');
  });

  test('keeps an owner, and discloses nothing to strangers', async () => {
    const [anna, bo] = people();
    const realm = await founded(anna);
    expect(await anna.push(invite(realm, 'cy', 'reader'))).toBe('applied');
    expect(await anna.push(remove(realm, 'anna'))).toBe('last_owner');
    const answers = await Promise.all(
      [realm, uuid7()].map(async (name) => {
        const client = new WireClient(server.url, 'bo');
        return JSON.stringify(await client.push([remove(name, 'anna')])).replaceAll(name, 'R');
      }),
    );
    const withoutIds = answers.map((text) => text.replaceAll(/"[0-9a-f-]{36}"/g, '""'));
    expect(withoutIds[0]).toBe(withoutIds[1]);
    expect(await bo.push(city(realm, `x-${realm}`))).toBe('forbidden');
  });
});

test('programs without the core read tables by memberships, too', async () => {
  const [anna, bo] = people();
  const realm = await founded(anna);
  const read = async (person: Person) => {
    const { headers } = person.client;
    const answer = await fetch(`${server.url}/v1/tables/cities`, { headers });
    return JSON.stringify(await answer.json());
  };
  expect(await read(anna)).toContain(realm);
  expect(await read(bo)).not.toContain(realm);
  expect(await anna.push(invite(realm, 'bo', 'reader'))).toBe('applied');
  expect(await read(bo)).toContain(realm);
});
