// `npm start`: installs what is missing, builds what changed, and serves the demo from one server.
// PORT sets the port; SKERRY_DATA the folder of the database.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { buildAll } from './build.mjs';
import { foreground } from './lib/foreground.mjs';
import { root } from './lib/paths.mjs';
import { main, SetupError } from './lib/run.mjs';

const kDefaultPort = '8787';

await main(async () => {
  await bootstrap();
  await buildAll();
  const port = process.env.PORT ?? kDefaultPort;
  const data = process.env.SKERRY_DATA ?? join(root, 'data');
  const server = join(root, 'server', 'dist', 'main.js');
  if (!existsSync(server)) throw new SetupError(`${server} has not been built.`);
  mkdirSync(data, { recursive: true });
  const demo = join(root, 'web-demo', 'dist');
  const options = {
    schema: join(demo, 'schema.js'),
    port,
    data,
    static: demo,
    seed: join(demo, 'seed.js'),
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  console.log('▸ server');
  // The server prints the URL itself, once it listens.
  process.exitCode = await foreground(process.execPath, [server, ...args, '--dev']);
});
