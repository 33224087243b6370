// Goal: whatever other programs and clients write, in whichever order, a client that pulls from any point of its past has what
// the database has. Method: generated transactions of SQL beside pushes; a client pulls after each of them, and at the end pulls again
// from each of the cursors that it had, with the rows that it had then.

import { afterEach, expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { postgresUrl } from './support/database.ts';
import type { FollowerPlace } from './support/follower.ts';
import { ForeignWorld } from './support/foreign-world.ts';
import { known, kTriggers, pushedOp, transaction } from './support/foreign-writes.ts';
import { random } from './support/random.ts';
import { uuid7 } from './support/server.ts';

const kSteps = 40;
let world: ForeignWorld;
afterEach(() => world.close());

const kSeeds = Array.from(
  { length: rounds(6, postgresUrl === undefined ? 2 : 6) },
  (_, i) => i + 1,
);

test.each(kSeeds)('generated transactions and pushes, %i', async (seed) => {
  world = await ForeignWorld.open();
  const next = random(seed);
  if (seed % 2 === 0) await world.write(...kTriggers);
  const groups = Array.from({ length: 3 }, () => uuid7());
  const author = world.client();
  const follower = world.follower();
  const past: FollowerPlace[] = [];
  for (let step = 0; step < kSteps; step++) {
    const what: string[] = [];
    if (next(3) > 0) {
      const statements = transaction(next, groups);
      what.push(...statements);
      // A program may meet its own conflicts.
      await world.write(...statements).catch((error: unknown) => {
        if (!/^23/.test(String((error as { code?: string }).code))) throw error;
      });
    } else {
      const ops = Array.from({ length: 1 + next(3) }, () => pushedOp(next, groups));
      what.push(JSON.stringify(ops));
      await author.pushUntilSettled(ops);
    }
    await follower.follow();
    expect(known(follower.rows), `step ${step}:\n${what.join(';\n')}`).toEqual(
      known(await world.rows()),
    );
    past.push(follower.place);
  }
  const all = known(await world.rows());
  for (const [step, place] of past.entries()) {
    const late = world.follower();
    late.goOnFrom(place);
    await late.follow();
    expect(known(late.rows), `from step ${step}`).toEqual(all);
  }
});
