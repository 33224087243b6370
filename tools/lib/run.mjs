// Runs commands and reports them: every step of the set-up prints its name, a sign of life while it runs,
// and its duration. The output of a command is shown only if it fails.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A failure that is explained to the reader, who does not need a stack trace. */
export class SetupError extends Error {}

const kHeartbeatMs = 15_000;

/** The running steps, innermost last: only the innermost prints signs of life. */
const running = [];

/** Formats a duration for people. */
export function seconds(ms) {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Prints a line of progress inside a step. */
export function note(text) {
  console.log(`    ${text}`);
}

/** Runs `work` as a named step, and prints its duration. Returns what it returns, and throws what it throws. */
export async function step(name, work) {
  const start = performance.now();
  console.log(`▸ ${name}`);
  running.push(name);
  const heartbeat = setInterval(() => {
    if (running.at(-1) === name) note(`… ${name}: ${seconds(performance.now() - start)} so far`);
  }, kHeartbeatMs);
  try {
    const result = await work();
    console.log(`  ✓ ${name} (${seconds(performance.now() - start)})`);
    return result;
  } catch (error) {
    console.log(`  ✗ ${name} (${seconds(performance.now() - start)})`);
    throw error;
  } finally {
    clearInterval(heartbeat);
    running.pop();
  }
}

/**
 * Runs a command to its end and returns `{ code, output }`. With `stream` the output is also shown
 * as it comes. Unless `allowFailure` is set, a non-zero exit throws with the end of the output.
 */
export function run(command, args, options = {}) {
  const { stream = false, allowFailure = false, cwd, env, input } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: env ? { ...process.env, ...env } : process.env,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    if (input !== undefined) child.stdin.end(input);
    let output = '';
    const take = (sink) => (chunk) => {
      output += chunk;
      if (stream) sink.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', take(process.stdout));
    child.stderr.setEncoding('utf8').on('data', take(process.stderr));
    child.on('error', (error) =>
      allowFailure ? resolve({ code: 127, output: String(error) }) : reject(error),
    );
    child.on('close', (code, signal) => {
      if (code === 0 || allowFailure) return resolve({ code: code ?? 1, output });
      const tail = stream ? '' : `\n${output.trimEnd().split('\n').slice(-60).join('\n')}`;
      reject(new SetupError(`${[command, ...args].join(' ')} ended with ${signal ?? code}${tail}`));
    });
  });
}

/** The full path of a program on PATH, or undefined. */
export function which(program) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (folder && existsSync(path)) return path;
  }
  return undefined;
}

/** Runs the main function of a script: explained failures are printed without a stack trace. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(`\n${error instanceof SetupError ? error.message : (error.stack ?? error)}`);
    process.exitCode = 1;
  }
}
