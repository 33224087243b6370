// The processes of a browser, which is started as the leader of a group of its own (Linux).
import { readdirSync, readFileSync } from 'node:fs';
import { vi } from 'vitest';

/** Whether any process of the group is left. */
export function groupLives(leader: number): boolean {
  try {
    process.kill(-leader, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}

/** Resolves when none of the group's processes is left. */
export function groupEnds(leader: number): Promise<void> {
  const look = () => {
    if (groupLives(leader)) throw new Error('the browser was killed, and lives');
  };
  return vi.waitFor(look, { timeout: 10_000, interval: 2 });
}

/** Sends a signal to a whole group; resolves after SIGKILL when none of it is left. */
export async function signalGroup(leader: number, signal: NodeJS.Signals): Promise<void> {
  if (!groupLives(leader)) return;
  process.kill(-leader, signal);
  if (signal === 'SIGKILL') await groupEnds(leader);
}

/** The processes of a group whose short name matches. */
export function namedProcesses(leader: number, name: RegExp): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        // pid (comm) state ppid pgrp …; the name may have spaces.
        const [, comm, rest] = /^\d+ \((.*)\) (.*)$/s.exec(stat(pid)) ?? [];
        return name.test(comm ?? '') && Number(rest?.split(' ')[2]) === leader;
      } catch {
        return false; // it has ended since
      }
    });
}

/**
 * Stops the first of some processes without which a window does not answer. Returns what lets it go on. Throws where the
 * window answers without any of them.
 */
export async function stopProcessOf(
  pids: readonly number[],
  answers: () => Promise<boolean>,
): Promise<() => Promise<void>> {
  for (const pid of pids) {
    process.kill(pid, 'SIGSTOP');
    if (!(await answers())) return async () => void process.kill(pid, 'SIGCONT');
    process.kill(pid, 'SIGCONT');
  }
  throw new Error(`none of the processes ${pids.join(', ')} runs the window`);
}

const stat = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8');
