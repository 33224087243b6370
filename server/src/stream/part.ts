// What a pull reads of a stream: actions, and in place of those that are gone, or too many, a snapshot.

import { limits } from '../base/limits.ts';
import type { StreamNeed } from '../base/wire-types.ts';
import type { Queryable } from '../db/database.ts';
import { readStream, type StreamPart } from './actions.ts';
import { type OfferedSnapshot, readFloor, readOffered } from './snapshot-rows.ts';

/** As many as fit, with those of the same floor; and the revision at which the range ends if others follow. */
function cut(offered: readonly OfferedSnapshot[]): {
  readonly snapshots: readonly OfferedSnapshot[];
  readonly upto: number | null;
} {
  let bytes = 0;
  let count = 0;
  for (const { floor, ...snapshot } of offered) {
    const isFull = count >= limits.snapshotsPerPull || bytes + snapshot.bytes > limits.stateBytes;
    const upto = offered[count - 1]?.floor;
    if (isFull && upto !== undefined && floor > upto)
      return { snapshots: offered.slice(0, count), upto };
    bytes += snapshot.bytes;
    count++;
  }
  return { snapshots: offered, upto: null };
}

/** `saves`: a snapshot that the client can use is offered if it replaces at least so many actions. */
export async function readStreamPart(
  tx: Queryable,
  range: StreamNeed,
  { bytes, saves }: { readonly bytes: number; readonly saves: number },
): Promise<StreamPart> {
  if (range.last !== null) {
    const { text, ...read } = await readStream(tx, range, bytes);
    const floor = await readFloor(tx, range.realm, range.stream);
    return { ...read, text: `{${text},"floor":${floor}}`, stateBytes: 0 };
  }
  const offered = await readOffered(tx, range, saves);
  // Nothing is told before the snapshot is within the range: it would be taken for all that there is.
  if (offered.isBeyond) {
    const text = `{"actions":[],"more":false,"snapshots":[],"upto":${range.from}}`;
    return { text, entries: 0, bytes: 0, stateBytes: 0 };
  }
  const { snapshots, upto } = cut(offered.snapshots);
  const [first = null] = snapshots;
  const isSingle = !range.stream.endsWith('*');
  const read = await readStream(
    tx,
    {
      ...range,
      ...(isSingle && first !== null ? { from: first.revision } : {}),
      ...(upto === null ? {} : { upto }),
    },
    bytes,
  );
  // Those of streams whose actions are gone beyond this page come with a later one.
  const told = snapshots.filter(({ floor }) => read.end === null || floor <= read.end);
  const list = told.map(({ floor: _, bytes: __, ...snapshot }) => snapshot);
  const end = upto === null ? '' : `,"upto":${upto}`;
  return {
    text: `{${read.text},"snapshots":${JSON.stringify(list)}${end}}`,
    entries: read.entries + told.length,
    bytes: read.bytes,
    stateBytes: told.reduce((sum, one) => sum + one.bytes, 0),
  };
}
