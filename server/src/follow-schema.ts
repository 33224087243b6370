// A server that restarts, at the same port, when another node has served a newer schema on its database
// (sql/newest-schema.ts). Requests in between are refused, and clients try again by themselves.

import { setTimeout as pause } from 'node:timers/promises';
import { limits } from './base/limits.ts';
import { Problem } from './base/problem.ts';
import { ConnectionError } from './db/database.ts';
import { answerProblem } from './http/front.ts';
import type { RunningServer } from './options.ts';
import { refuseUpgrade } from './wire/origins.ts';

export interface FollowOptions {
  /** Starts a server at this port, which calls `outdated` when a newer schema applies. */
  readonly start: (port: number, outdated: () => void) => Promise<RunningServer>;
  readonly port: number;
  readonly warn: (message: string) => void;
  /** The restart has failed: nothing is served any more. */
  readonly failed: (error: unknown) => void;
}

export async function followSchema(options: FollowOptions): Promise<RunningServer> {
  const { start, warn, failed } = options;
  let closed = false;
  let restarting: Promise<void> | null = null;
  let current: RunningServer | null = null;

  const again = async (running: RunningServer) => {
    await running.close();
    current = null;
    for (let attempt = 1; !closed; attempt++) {
      try {
        current = await start(running.port, outdated);
        warn(`The server serves the newer schema at ${current.url}.`);
        return;
      } catch (error) {
        if (attempt >= limits.restartTries) throw error;
        warn(`The server could not restart, and tries again: ${String(error)}`);
        await pause(limits.restartPauseMs * attempt);
      }
    }
  };
  const outdated = () => {
    if (closed || restarting !== null || current === null) return;
    warn('Another node serves a newer schema: this node restarts with it.');
    restarting = again(current)
      .catch(failed)
      .finally(() => {
        restarting = null;
      });
  };

  const first = await start(options.port, outdated);
  current = first;
  return {
    url: first.url,
    port: first.port,
    handler(request, response, next) {
      if (current !== null) current.handler(request, response, next);
      else answerProblem(response, new Problem('busy', 'The server is restarting.'));
    },
    upgrade(request, socket, head) {
      if (current !== null) return current.upgrade(request, socket, head);
      refuseUpgrade(socket, '503 Service Unavailable');
      return true;
    },
    rights: { changed: (user) => current?.rights.changed(user) },
    sql: {
      query: async (sql, params) => sqlOf(current).query(sql, params),
      transaction: async (work) => sqlOf(current).transaction(work),
    },
    async close() {
      closed = true;
      if (restarting !== null) await restarting;
      await current?.close();
    },
  };
}

function sqlOf(running: RunningServer | null): RunningServer['sql'] {
  if (running === null) throw new ConnectionError('The server is restarting, or closed.');
  return running.sql;
}
