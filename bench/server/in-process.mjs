// The same pushes handed to a node's own flusher in the benchmark's process: no HTTP, no sockets of clients, no tokens.
// What is left is what our rules and our SQL cost, beside the bare driver in the same process.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { build as builtFolder, root } from '../../tools/lib/paths.mjs';

/** The parts of the server, bundled: they are TypeScript, and the packages that they import stay outside. */
async function serverParts() {
  const exported = {
    Authority: 'authority/authority',
    Committer: 'push/commit',
    Flusher: 'push/flusher',
    Shares: 'cost/shares',
    describeSchema: 'schema-module',
    openPostgres: 'db/postgres',
    pushCost: 'cost/push-cost',
    sqlSchema: 'sql/tables',
    updatesOf: 'wire/updates',
  };
  const lines = Object.entries(exported).map(
    ([name, path]) => `export { ${name} } from './${path}.ts';`,
  );
  const outfile = join(builtFolder, 'bench', 'server-parts.js');
  await build({
    stdin: { contents: lines.join('\n'), resolveDir: join(root, 'server', 'src'), loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    // Its threads are those of the built server.
    define: {
      'import.meta.url': JSON.stringify(
        String(pathToFileURL(join(root, 'server', 'dist', 'index.js'))),
      ),
    },
    outfile,
    logLevel: 'silent',
  });
  return import(pathToFileURL(outfile).href);
}

/** A flusher on a database that a node has made its tables in; `send` is what a Pusher pushes by. */
export async function openInProcess(url, schema) {
  const parts = await serverParts();
  const { Authority, Committer, Flusher, Shares, describeSchema, openPostgres, sqlSchema } = parts;
  const description = describeSchema(schema);
  const authority = await Authority.load(description);
  const database = await openPostgres(url);
  const flusher = new Flusher({
    committer: new Committer(database, authority, sqlSchema(description)),
    shares: new Shares({ least: 0, remembered: 1 }),
    committed: () => {},
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    log: (message, error) => console.error(message, error),
  });
  return {
    /** Sends the pushes of this user. */
    sender(id, realm) {
      const user = { id, grants: new Map([[realm, 'write']]), expires: null };
      return async ({ client, epoch, updates }) => {
        const bytes = 500;
        const cost = parts.pushCost(parts.updatesOf({ updates }), bytes);
        const { results } = await flusher.push({ client, user, epoch, updates, bytes, cost });
        return results;
      };
    },
    async close() {
      await flusher.close();
      await database.close();
      await authority.close();
    },
  };
}
