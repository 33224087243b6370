// The example of the README runs as it stands there, pasted: against the built server, started by the README's own command.
// Only the browser and the proxy are replaced: the package's host in memory, whose requests go to that server.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { fetchTransport, memory } from 'skerry/testing';
import { afterEach, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 30_000 });

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
let folder = '';
let server: ChildProcess | null = null;

afterEach(async () => {
  vi.restoreAllMocks();
  vi.doUnmock('skerry');
  if (server?.exitCode === null) {
    const ended = new Promise((resolve) => server?.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Starts what the README says; a free port, and where the data goes, are ours. Resolves to the server's address. */
function start(command: string): Promise<string> {
  const [npx, name, ...args] = command.trim().split(/\s+/);
  expect([npx, name]).toEqual(['npx', 'skerry-server']);
  const port = args.indexOf('--port');
  expect(args[port + 1]).toMatch(/^\d+$/);
  args[port + 1] = '0';
  const program = join(root, 'node_modules', '.bin', 'skerry-server');
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  server = child;
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const url = /^skerry-server ready (\S+)$/m.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}: ${output}`)));
  });
}

test('the example of the README runs against its server, and prints what it says', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const blocks = (language: string) =>
    [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
      (found) => found[1] ?? '',
    );
  const [schema] = blocks('js').filter((code) => code.includes('schema('));
  const [page] = blocks('ts').filter((code) => code.includes('open({'));
  const [command] = blocks('sh').filter((code) => code.includes('skerry-server --schema'));
  if (!schema || !page || !command) throw new Error('The README has no example.');
  expect(`${schema}${page}`.trim().split('\n').length).toBeLessThanOrEqual(42);

  mkdirSync(join(root, 'build'), { recursive: true });
  // Where the package is found by its name, as in a project that has it installed.
  folder = mkdtempSync(join(root, 'build', 'readme-'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(folder, 'schema.js'), schema);
  writeFileSync(join(folder, 'page.ts'), `${page}\nexport { db, list, todo };\n`);
  const url = await start(command);

  const host = memory({
    transport: {
      request: (request) => {
        const { pathname } = new URL(request.url);
        return fetchTransport.request({ ...request, url: `${url}${pathname}` });
      },
    },
  });
  vi.doMock('skerry', async (original) => {
    const skerry = await original<typeof import('skerry')>();
    return { ...skerry, open: (options: object) => skerry.open({ ...options, host } as never) };
  });
  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => printed.push(String(line)));
  const { db, list, todo } = await import(
    /* @vite-ignore */ pathToFileURL(join(folder, 'page.ts')).href
  );
  await vi.waitFor(() => expect(printed.at(-1)).toBe('Row out to the skerry (1)'));
  await db.sync.waitForSync({ timeoutMs: 20_000 });
  expect(db.todos.get(todo.result)).toMatchObject({ votes: 1, realm: 'user:ada' });
  expect(db.conflicts.all()).toEqual([]);
  await vi.waitFor(() =>
    expect(db.sync.status).toMatchObject({ phase: 'idle', pending: 0, error: null }),
  );
  const kept = await fetch(`${url}/v1/tables/lists`, {
    headers: { authorization: 'Bearer dev:ada' },
  });
  expect(JSON.stringify(await kept.json())).toContain(list);
  await db.close();
});
