// Where the entries of worker threads are. A thread runs a built file: beside this one, or, where tests run the sources,
// in what the last build made of them (Node runs no TypeScript before version 22.18).

export type ThreadName = 'pglite-thread' | 'authority-thread';

export function threadFile(name: ThreadName): URL {
  const folder = import.meta.url.endsWith('.ts') ? '../../dist/' : './';
  return new URL(`${folder}${name}.js`, import.meta.url);
}
