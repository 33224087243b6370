// A server whose tokens the application verifies itself (tokens.mjs, `own`): it asks another service, which takes 200 ms.
// Takes the database as its argument; prints `skerry-server ready <url>`.

import { createServer } from 'skerry-server';
import schema from './schema.mjs';

const kVerifyMs = 200;

const server = await createServer({
  schema,
  database: process.argv[2],
  data: process.argv[3],
  port: 0,
  auth: async (token) => {
    await new Promise((resolve) => setTimeout(resolve, kVerifyMs));
    const [kind, user] = token.split('~');
    return kind === 'good' ? { user } : null;
  },
});
console.log(`skerry-server ready ${server.url}`);
process.once('SIGTERM', () => server.close());
