// A lock among processes of one machine: a folder, because making one is atomic everywhere. It holds
// the process id of its owner, so that what a killed process left behind is noticed.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { note } from './run.mjs';

const kPauseMs = 250;

function ownerAlive(folder) {
  let pid;
  try {
    pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  } catch {
    return true; // It is just being made. If its owner died in that moment, remove the folder by hand.
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `work` while holding the lock. */
export async function withLock(folder, work) {
  for (let said = false; ; ) {
    try {
      mkdirSync(folder);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!ownerAlive(folder)) {
      rmSync(folder, { recursive: true, force: true });
      continue;
    }
    if (!said) note(`waiting for another process (remove ${folder} if there is none)`);
    said = true;
    await sleep(kPauseMs);
  }
  writeFileSync(join(folder, 'pid'), String(process.pid));
  try {
    return await work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
