/** `npm start` ends with all that it has started, whoever ends it: real processes of npm, of its script, and of a program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { isRunning } from '../support/processes.ts';

const foreground = new URL('../../tools/lib/foreground.mjs', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'skerry-foreground-'));
const pids: number[] = [];
let npm: ChildProcess | null = null;
afterEach(() => {
  npm?.kill('SIGKILL');
  for (const pid of pids.splice(0)) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
});

writeFileSync(join(folder, 'package.json'), '{ "scripts": { "start": "exec node start.mjs" } }');
writeFileSync(
  join(folder, 'start.mjs'),
  `import { foreground } from ${JSON.stringify(foreground)};
   console.log('script', process.pid);
   process.exitCode = await foreground(process.execPath, ['program.mjs']);`,
);
// As the server: it ends in order at these signals, and runs for ever without one.
writeFileSync(
  join(folder, 'program.mjs'),
  `for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(0));
   setInterval(() => {}, 1000);
   console.log('program', process.pid);`,
);
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The processes of a new \`npm start\`: npm, its script, and the program that the script runs. */
async function started(): Promise<{ script: number; program: number; child: ChildProcess }> {
  const child = spawn('npm', ['start'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  npm = child;
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const found = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(said)?.[1]);
  await vi.waitFor(() => expect(found('program')).toBeGreaterThan(0), 20_000);
  pids.push(found('script'), found('program'));
  return { script: found('script'), program: found('program'), child };
}

test.each(
  (['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const).flatMap((signal) =>
    (['npm', 'script'] as const)
      // Nothing can be done by a script that is killed.
      .filter((which) => which === 'npm' || signal !== 'SIGKILL')
      .map((which) => [signal, which] as const),
  ),
)('%s to %s ends the program, too', async (signal, which) => {
  const { script, program, child } = await started();
  process.kill(which === 'npm' ? (child.pid as number) : script, signal);
  await vi.waitFor(
    () => expect([isRunning(script), isRunning(program)]).toEqual([false, false]),
    10_000,
  );
});
