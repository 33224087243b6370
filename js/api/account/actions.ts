/** The confirmed actions of streams: as storage has them, as a file has them, and as mutations that append them again. */
import type { ConfirmedAction } from '../../core/core-types.ts';
import type { PlainMutation, PlainOp, PortableCore } from './portable-core.ts';

/** By realm and stream, in the order of the stream. */
export type StreamActions = Readonly<Record<string, Readonly<Record<string, ConfirmedAction[]>>>>;

/** A row of the store `actions` (docs/internals.md, section 3). */
export interface StoredActions {
  readonly key: string;
  readonly value: { readonly v: number; readonly body: Uint8Array };
}

/** The rows of one stream, for a read of the store. */
export function rangeOf(realm: string, stream: string): { from: string; to: string } {
  const key = `${realm}\0${stream}\0`;
  return { from: key, to: `${key}g` };
}

/** What names an action's place: an action may be in several streams, and in several realms. */
export function actionKey(realm: string, stream: string, id: string): string {
  return `${realm}\0${stream}\0${id}`;
}

export function actionsOf(portable: PortableCore, rows: readonly StoredActions[]): StreamActions {
  // A realm and a stream may have any name.
  const realms = new Map<string, Map<string, ConfirmedAction[]>>();
  for (const { key, value } of rows) {
    const [realm = '', stream = ''] = key.split('\0');
    const streams = realms.get(realm) ?? new Map<string, ConfirmedAction[]>();
    realms.set(realm, streams);
    // Into the same list: an own action has a row of its own, and there may be many.
    const actions = streams.get(stream) ?? [];
    streams.set(stream, actions);
    actions.push(...portable.actions(value.body));
  }
  return Object.fromEntries(
    [...realms].map(([realm, streams]) => [realm, Object.fromEntries(streams)]),
  );
}

/**
 * A mutation for each action for which `isWanted` holds, in the order of each realm's log. It has the id of the action, and
 * appends it to all streams that have it.
 */
export function appending(
  streams: StreamActions,
  realms: ReadonlyMap<string, string>,
  isWanted: (action: ConfirmedAction, realm: string, stream: string) => boolean,
): PlainMutation[] {
  const mutations = new Map<string, PlainMutation & { ops: PlainOp[] }>();
  for (const [from, byStream] of Object.entries(streams)) {
    const realm = realms.get(from) ?? from;
    const placed = Object.entries(byStream).flatMap(([stream, actions]) =>
      actions.map((action) => ({ stream, action })),
    );
    placed.sort(({ action: { place: a } }, { action: { place: b } }) => a[0] - b[0] || a[1] - b[1]);
    for (const { stream, action } of placed) {
      if (!isWanted(action, from, stream)) continue;
      const { id, name, madeAt, arg } = action;
      const known = mutations.get(id) ?? { id, name, at: madeAt, arg, base: {}, ops: [] };
      mutations.set(id, known);
      // Of two realms that become one, both may have it.
      if (!known.ops.some((op) => op.stream === stream && op.realm === realm))
        known.ops.push({ op: 'append', stream, realm });
    }
  }
  return [...mutations.values()];
}
