// The files of worker threads, and of the processes of the schema module. They run built files. Such a file is beside this
// one; if tests run the sources, it is in the output of the last build (Node runs no TypeScript before version 22.18).

export type ThreadName = 'pglite-thread' | 'authority-thread' | 'module-process' | 'rules-process';

export function threadFile(name: ThreadName): URL {
  const folder = import.meta.url.endsWith('.ts') ? '../../dist/' : './';
  return new URL(`${folder}${name}.js`, import.meta.url);
}
