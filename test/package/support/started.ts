// Servers that bundlers and frameworks bring: started by a script of the project, ended with their whole group.
import { spawn } from 'node:child_process';
import { patience } from '../../support/patience.ts';
import type { Project } from './project.ts';

const START_LIMIT_MS = patience(60_000);

export interface Started {
  readonly url: string;
  stop(): Promise<void>;
}

/** Resolves with the address that `pattern` finds in what it prints. */
export async function startServer(
  project: Project,
  script: string,
  pattern: RegExp,
): Promise<Started> {
  const child = spawn('npm', ['run', script], {
    cwd: project.folder,
    env: project.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm starts a shell that starts the server: a group of their own can be ended as one.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    if (child.pid && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  };
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (what: string) => {
      clearTimeout(timer);
      reject(new Error(`npm run ${script} ${what}:\n${output}`));
    };
    const timer = setTimeout(() => fail('was not ready in time'), START_LIMIT_MS);
    const hear = (chunk: Buffer) => {
      output += chunk.toString();
      const found = pattern.exec(output)?.[1];
      if (!found) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => fail(`ended with ${code}`));
  }).catch(async (error) => {
    await stop();
    throw error;
  });
  return { url, stop };
}
