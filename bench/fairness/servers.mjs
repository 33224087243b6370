// The kinds of servers that are attacked: each a server of its own in `folder`, with the signer of its users' tokens.

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { secret, serverFlags, serverMain, startProgram } from '../server/node.mjs';
import { byIssuer, bySecret, issuer, own } from './tokens.mjs';

const kSchema = join(import.meta.dirname, 'schema.mjs');
const kBytesOfFile = 950_000;

function start(folder, databaseUrl, more) {
  const args = ['--schema', kSchema, '--port', '0', '--data', mkdtempSync(join(folder, 'data-'))];
  const env = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl };
  return startProgram('skerry-server', [...serverFlags, serverMain, ...args, ...more], env);
}

/** A script as large as that of an application, in a folder. */
function files(folder) {
  const at = join(folder, 'files');
  mkdirSync(at, { recursive: true });
  const lines = Array.from(
    { length: kBytesOfFile / 50 },
    (_, n) => `export const value${n} = ${JSON.stringify(Math.sin(n))};\n`,
  );
  writeFileSync(join(at, 'app.js'), lines.join(''));
  return at;
}

/** An issuer's keys, at an address. */
async function publish(keys) {
  const server = createServer((_, response) => response.end(JSON.stringify({ keys })));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

const kinds = {
  async usual(folder, databaseUrl) {
    const server = await start(folder, databaseUrl, ['--secret', secret]);
    return { server, signer: bySecret };
  },
  async files(folder, databaseUrl) {
    const more = ['--secret', secret, '--static', files(folder)];
    return { server: await start(folder, databaseUrl, more), signer: bySecret };
  },
  async jwks(folder, databaseUrl) {
    const { signer, keys } = await byIssuer();
    const { url, stop } = await publish(keys);
    const more = ['--jwks', url, '--issuer', issuer.iss, '--audience', issuer.aud];
    return { server: await start(folder, databaseUrl, more), signer, stop };
  },
  async verify(folder, databaseUrl) {
    const data = mkdtempSync(join(folder, 'data-'));
    const program = join(import.meta.dirname, 'own-verify.mjs');
    const args = [...serverFlags, program, databaseUrl ?? data, data];
    return { server: await startProgram('skerry-server', args, {}), signer: own };
  },
};

/** A server of this kind: its URL and pid, the signer of tokens, and its end. */
export async function serverOf(kind = 'usual', folder, databaseUrl) {
  const { server, signer, stop } = await kinds[kind](folder, databaseUrl);
  return {
    ...{ url: server.url, pid: server.pid, signer },
    async stop() {
      await server.stop();
      stop?.();
    },
  };
}
