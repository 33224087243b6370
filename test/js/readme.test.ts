// The example of the README runs as it stands there: only the remote is left out, as its comment offers, and the host is
// the one in memory, because Node has no IndexedDB.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

afterEach(() => {
  vi.restoreAllMocks();
});

test('the example of the README runs, and its live query prints what the text says', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const example = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)]
    .map((found) => found[1] ?? '')
    .find((code) => code.includes('open({'));
  if (!example) throw new Error('the README has no example');
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(36);
  const code = example
    .replace(/^ *remote: .*\n/m, '  host: memory(),\n')
    .replace(/^/, "import { memory } from 'skerry/testing';\n")
    .concat('\nexport { db, todo };\n');
  expect(code).toContain('host: memory()');
  const folder = join(root, 'build', 'readme');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'example.ts');
  writeFileSync(file, code);

  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => printed.push(String(line)));
  const { db, todo } = await import(/* @vite-ignore */ pathToFileURL(file).href);
  await vi.waitFor(() => expect(printed.at(-1)).toBe('Row out to the skerry (1)'));
  expect(db.todos.get(todo.result).votes).toBe(1);
  await db.close();
});
