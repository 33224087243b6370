/** Makes a view of all that a feed has: plain data, which JSON can hold, and nothing of a token. */
import type { Conflict } from '../api/conflicts.ts';
import type { SyncControl } from '../api/sync-api.ts';
import type { ImagePointer, SyncScope } from '../core/core-types.ts';
import type { TypeRegistry } from '../core/special-json.ts';
import type { FeedState } from './feed-state.ts';
import { inspectorLimits } from './limits.ts';
import { objectsOf, textOf } from './stored.ts';
import {
  type InspectedConflict,
  type InspectedImage,
  type InspectedOutbox,
  type InspectedPusher,
  type InspectedRealm,
  type InspectedScope,
  type InspectedStatus,
  type InspectorView,
  inspectorVersion,
} from './view.ts';

const { listed } = inspectorLimits;

export function makeView(state: FeedState): InspectorView {
  const { core, stored, actions, requests, log, queries, estimate } = state;
  const { host, options, tab, codec, sync, problems, conflicts } = core.parts;
  const isOpen = state.closed === null;
  const window = sync.input.window;
  return {
    version: inspectorVersion,
    at: host.clock.now(),
    database: {
      ...{ name: options.name, user: options.user ?? null, window: tab },
      ...{ schema: codec.schema.version, state: core.parts.state.is, closed: state.closed },
    },
    status: statusOf(sync),
    pusher: pusherOf(state),
    actions: actions.all(),
    outbox: outboxOf(state),
    scopes: stored.sync.scopes.slice(0, listed).map(scopeOf),
    streams: (stored.sync.streams ?? []).slice(0, listed).map((stream) => ({
      ...{ stream: stream.stream, behind: stream.behind },
      ...{ last: stream.last ?? null, reducer: stream.reducer ?? null },
    })),
    realms: isOpen ? realmsOf(state) : [],
    problems: problems.value.slice(0, listed),
    conflicts: conflicts
      .all()
      .slice(0, listed)
      .map((entry) => conflictOf(entry, codec.registry)),
    queries: isOpen && window ? queries.all() : [],
    storage: {
      usage: estimate?.usage ?? null,
      quota: estimate?.quota ?? null,
      persisted: estimate?.persisted ?? null,
      ...{ records: state.records, recordBytes: stored.sync.recordBytes, error: state.error },
    },
    images: { current: imageOf(stored.sync.image), previous: imageOf(stored.sync.previous) },
    clock: { offsetMs: sync.status.clockOffsetMs, n: window?.n ?? 0, storedN: stored.sync.n },
    requests: requests.all(),
    log: log.all(),
    leftOut: { actions: actions.dropped, requests: requests.dropped, log: log.dropped },
  };
}

function statusOf({ status, input }: SyncControl): InspectedStatus {
  const { error, progress } = status;
  const ms = (at: Date | null) => at?.getTime() ?? null;
  return {
    ...{ mode: status.mode, modeReason: status.modeReason, phase: status.phase, role: status.role },
    ...{ online: status.online, connected: status.connected, needsAuth: status.needsAuth },
    ...{ writable: status.writable, pending: status.pending, conflicts: status.conflicts },
    ...{ unsaved: input.window?.unsaved ?? 0, held: input.window?.held ?? 0 },
    progress: progress && { done: progress.done, total: progress.total },
    error: error && {
      ...{ code: error.code, message: textOf(error.message), retryable: error.retryable },
    },
    oldestPendingAt: ms(status.oldestPendingAt),
    lastSyncedAt: ms(status.lastSyncedAt),
    lastHeardAt: ms(status.lastHeardAt),
    nextTryAt: ms(status.nextTryAt),
  };
}

function pusherOf({ core, stored }: FeedState): InspectedPusher {
  const { sync, worker, tab } = core.parts;
  const { mode, modeReason, role } = sync.status;
  const owner = stored.leases['push']?.owner ?? null;
  const isMine = role === 'holder' || owner === tab;
  const window = owner === null ? 'nobody' : isMine ? 'this-window' : 'another-window';
  return {
    by: mode === 'service-worker' ? mode : window,
    reason: modeReason,
    owner,
    leases: Object.entries(stored.leases).map(([name, lease]) => ({
      ...{ name, owner: lease.owner, epoch: lease.epoch, beat: lease.beat },
      isThisWindow: worker?.leases.has(name as 'push') === true,
      ...{ claimedAt: lease.claimedAt, beatAt: lease.beatAt },
    })),
  };
}

function outboxOf({ stored }: FeedState): InspectedOutbox {
  return {
    pendingCount: stored.pendingCount,
    pending: stored.pending.map((record) => ({
      ...{ key: record.key, id: record.id, name: record.name, at: record.at, held: record.held },
      ...{ update: record.update, realms: record.realms, objects: objectsOf(record.keys) },
      bytes: record.body.length,
    })),
    updateCount: stored.updateCount,
    updates: stored.updates.map((update) => ({
      ...{ id: update.id, state: update.state, at: update.at, epoch: update.epoch },
      actions: update.mutations.slice(0, listed).map(({ id }) => id),
      realms: Object.keys(update.after),
      bytes: update.body.length,
    })),
  };
}

function scopeOf({ table, where, filled, inner }: SyncScope): InspectedScope {
  const isPart = typeof filled === 'string';
  return {
    ...{ table, where, inner: inner === true },
    fill: filled === true ? 'whole' : isPart ? 'part' : 'none',
    upto: isPart ? filled : null,
  };
}

function realmsOf({ core }: FeedState): InspectedRealm[] {
  const { sync, realms, options } = core.parts;
  const { revisions, lost } = sync.status;
  const roles = new Map(
    options.user === undefined ? [] : realms.value.map(({ realm, role }) => [realm, role]),
  );
  const all = new Set([...Object.keys(revisions), ...roles.keys(), ...lost]);
  return [...all].slice(0, listed).map((realm) => ({
    ...{ realm, revision: revisions[realm] ?? null, role: roles.get(realm) ?? null },
    mayWrite: core.parts.core.mayWrite(realm),
    lost: lost.includes(realm),
  }));
}

function conflictOf(entry: Conflict, registry: TypeRegistry): InspectedConflict {
  const { id, table, key, reason, code, detail, at, mutation, dependsOn } = entry;
  const plain = (value: unknown) => (value === null ? null : registry.encode(value));
  return {
    ...{ id, table, key, reason, code, detail: textOf(detail), at: at.getTime() },
    action: mutation && { id: mutation.id, name: mutation.name, at: mutation.at.getTime() },
    ...{ base: plain(entry.base), mine: plain(entry.mine), theirs: plain(entry.theirs), dependsOn },
  };
}

function imageOf(image: ImagePointer | null): InspectedImage | null {
  if (!image) return null;
  const parts = image.parts.map(({ file, bytes }) => ({ file, bytes }));
  return {
    ...{ generation: image.generation, mount: image.mount ?? null, n: image.n },
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    parts: parts.slice(0, listed),
  };
}
