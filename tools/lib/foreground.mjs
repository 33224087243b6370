// Runs a program that lasts as this process's own: it ends with this process, whoever ends it.

import { spawn } from 'node:child_process';

const kSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/**
 * npm passes SIGINT and SIGTERM on to its script's first process (package.json has `exec`, so that it is not a shell, which would
 * keep SIGINT), and ends without a word at others: then this process has another parent.
 */
const kLookMs = 500;

/** Returns the exit code of the program. */
export function foreground(command, args) {
  const child = spawn(command, args, { stdio: 'inherit' });
  for (const signal of kSignals) process.on(signal, () => child.kill(signal));
  const parent = process.ppid;
  const looking = setInterval(() => {
    if (process.env.npm_lifecycle_event && process.ppid !== parent) child.kill('SIGTERM');
  }, kLookMs);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearInterval(looking);
      resolve(code ?? (signal === 'SIGINT' ? 0 : 1));
    });
  });
}
