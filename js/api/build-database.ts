/**
 * `buildDatabase`: makes the parts of a database, each from parts that are there already, and then connects those that
 * report to later ones. Nothing is opened or sent before `DatabaseCore.start`, except the channel, which listens.
 */

import type { StatusMessage } from '../core/core-types.ts';
import type { AskPausedMessage } from '../core/messages.ts';
import { RowView } from '../core/row-view.ts';
import { WindowCore } from '../core/window-core.ts';
import { Backoff } from '../host/backoff.ts';
import { EffectRunner, isMessage, type WindowRunner } from '../host/effect-runner.ts';
import { uuid } from '../host/random.ts';
import type { WorkerStart } from '../host/worker-link.ts';
import { ConflictInbox } from './conflicts.ts';
import { CoreEffects } from './core-effects.ts';
import { DatabaseCore, type DatabaseDependencies, type DatabaseParts } from './database-core.ts';
import { DatabaseState } from './database-state.ts';
import { EventListeners } from './events.ts';
import { KeptUndo } from './kept-undo.ts';
import { Lifecycle } from './lifecycle.ts';
import { LiveRegistry } from './live.ts';
import { Mutations } from './mutations.ts';
import { Problems } from './problems.ts';
import { RealmsApi } from './realms.ts';
import { wholeAddress } from './remote.ts';
import { ServiceMode } from './service-mode.ts';
import { Streams } from './streams.ts';
import { SyncControl } from './sync-api.ts';
import { Undo } from './undo.ts';
import { Validation } from './validation.ts';
import { WindowChannel } from './window-channel.ts';
import { WorkerClient } from './worker-client.ts';
import { WorkerMessages } from './worker-messages.ts';

export function buildDatabase(ground: DatabaseDependencies): DatabaseCore {
  const parts = makeParts(ground);
  const database = new DatabaseCore(parts);
  connect(parts, database);
  return database;
}

function makeParts(ground: DatabaseDependencies): DatabaseParts {
  const { options, host, module, storage, codec, database } = ground;
  const { remote } = options;
  const tab = uuid(host.random.bytes(16));
  const schema = codec.describe() as { readonly version: number };
  const url = remote ? options.serviceWorker : false;
  const service = new ServiceMode({ host, database, version: schema.version, url });
  const own = remote && options.user !== undefined ? `user:${options.user}` : 'local';
  const realm = options.defaultRealm ?? own;
  const core = new WindowCore(module, {
    schema,
    tab,
    defaultRealm: realm,
    seed: host.random.bytes(32),
    remote: remote !== undefined,
    user: options.user ?? null,
  });
  const view = new RowView(core, codec);
  const lives = new LiveRegistry(view);
  const channel = new WindowChannel(host.channels, database, remote === undefined);
  const runner: WindowRunner = new EffectRunner({
    clock: host.clock,
    timers: host.timers(),
    channel,
    storage,
    relaxed: options.durability === 'relaxed',
    call: (event) => core.handle(event),
    settle: () => settle(core, view, lives, streams),
  });
  const mutations = new Mutations({ view, lives, runner, clock: host.clock });
  const problems = new Problems();
  const streams: Streams = new Streams({
    ...{ mutations, problems, realm, registry: codec.registry, timers: host.timers() },
    calls: lives.calls,
    remote: remote !== undefined,
    dispatch: (event) => runner.dispatch(event),
    isWorkerRunning: () => worker?.running === true,
    post: (message) => worker?.post(message),
  });
  const conflicts = new ConflictInbox(codec, {
    dispatch: (event) => runner.dispatch(event),
    amend: (id, body) => mutations.amend(id, body),
  });
  const validation = new Validation({
    ...{ view, lives, problems },
    clock: host.clock,
    timers: host.timers(),
    judge: (wrong) => runner.dispatch({ type: 'judge', wrong }),
  });
  const undo = new Undo(lives.calls, codec);
  const keptUndo = new KeptUndo({
    session: host.session,
    name: options.name,
    dispatch: (event) => runner.dispatch(event),
  });
  const realms = new RealmsApi({
    ...{ view, lives, mutations },
    user: options.user ?? null,
    newRealm: () => uuid(host.random.bytes(16)),
  });
  // Without a remote the worker never goes online: it only compacts records into images.
  const worker: WorkerClient | null =
    remote || host.images
      ? new WorkerClient({
          host,
          url: options.workerUrl ?? null,
          remote: remote ?? null,
          user: options.user ?? null,
          config: workerConfig(ground, service, schema, tab),
        })
      : null;
  const sync = makeSync(ground, { core, runner, mutations, worker, service, streams });
  const lifecycle = new Lifecycle({
    ...{ host, runner, storage, channel, core, worker, sync, streams, keptUndo },
  });
  const events = new EventListeners((detail) => options.onUpdateNeeded?.(detail));
  const state = new DatabaseState();
  return {
    ...ground,
    tab,
    core,
    view,
    lives,
    events,
    channel,
    service,
    worker,
    runner,
    mutations,
    conflicts,
    validation,
    realms,
    streams,
    problems,
    undo,
    keptUndo,
    sync,
    lifecycle,
    state,
  };
}

function makeSync(
  { options, host }: DatabaseDependencies,
  {
    core,
    runner,
    mutations,
    worker,
    service,
    streams,
  }: Pick<DatabaseParts, 'core' | 'runner' | 'mutations' | 'worker' | 'service' | 'streams'>,
): SyncControl {
  return new SyncControl({
    local: options.remote === undefined,
    online: host.page.online,
    timers: host.timers(),
    backoff: new Backoff(host.clock, host.workerTimes),
    post: (message) => worker?.post(message),
    showPause: (paused) => service.pause(paused),
    isWorkerRunning: () => worker?.running === true,
    checkScopes: (wanted) => core.checkScopes(wanted),
    changeScopes: (add, drop) => runner.dispatch({ type: 'scopes', add, drop }),
    durable: () => mutations.durable(),
    askState: () => runner.dispatch({ type: 'state' }),
    isVisible: () => host.page.visible,
    comparing: {
      clock: host.clock,
      timers: host.timers(),
      dispatch: (event) => runner.dispatch(event),
      ask: (path, body) => streams.history(path, body),
      random: () => (host.random.bytes(1)[0] ?? 0) / 256,
    },
  });
}

/** Connects the parts that report to others. */
function connect(parts: DatabaseParts, database: DatabaseCore): void {
  const { options, host, channel, runner, worker, mutations, sync, lifecycle, service } = parts;
  runner.connect(new CoreEffects(parts));
  worker?.connect(new WorkerMessages(parts));
  mutations.connect({
    mutated: () => sync.mutated(),
    first: () => {
      // Chromium drops a page that goes into the back/forward cache while it asks.
      if (lifecycle.isFrozen) return false;
      if (options.persist !== false) host.storage.persist();
      return true;
    },
  });
  channel.connect((message) => {
    const type = isMessage(message) ? message.type : null;
    if (type === 'logout') void database.close('logout');
    else if (type === 'askPaused') channel.post(sync.pausedOrNot(message as AskPausedMessage));
    else if (type === 'image') sync.update({ image: null });
    else runner.hear(message);
    if (type === 'status' && sync.status.mode === 'lease')
      service.heard((message as Partial<StatusMessage>).shared);
  });
}

/** Drains the core: forgets rows that changed, brings live values up to date, and returns the calls to make last. */
function settle(
  core: WindowCore,
  view: RowView,
  lives: LiveRegistry,
  streams: Streams,
): () => void {
  if (core.closed) return () => {};
  const drained = core.drain();
  view.forget(drained);
  const calls = lives.take(drained.live);
  streams.take(drained.streams);
  return calls;
}

/** The configuration of a worker, as it is at its start. */
function workerConfig(
  { options, host, database, module, wasmUrl }: DatabaseDependencies,
  service: ServiceMode,
  schema: unknown,
  tab: string,
): () => WorkerStart {
  const { remote } = options;
  const server = {
    remote: {
      url: remote ? wholeAddress(remote, host.resolve) : '',
      credentials: remote?.credentials ?? ('omit' as const),
    },
    auth: remote ? remote.token !== null : false,
    times: host.workerTimes ?? null,
  };
  return () => ({
    schema,
    tab,
    database,
    ...server,
    visible: host.page.visible,
    online: remote !== undefined && host.page.online,
    module: module.compiled,
    wasmUrl: wasmUrl.href,
    mode: service.state.active ? 'helper' : 'lease',
    reason: service.state.reason,
    keepToken: remote?.keepToken === true,
    service: options.serviceWorker ? server : null,
  });
}
