/** In Node the module is a file, which `fetch` does not read. */
export async function readWasm(url: URL): Promise<Response | Uint8Array> {
  if (url.protocol !== 'file:') return fetch(url);
  // By a variable, so that bundlers for browsers leave it alone.
  const name = 'node:fs/promises';
  const { readFile } = (await import(/* @vite-ignore */ name)) as {
    readFile(url: URL): Promise<Uint8Array>;
  };
  try {
    return await readFile(url);
  } catch {
    // Run from its sources, the package finds what the build made in dist/.
    const file = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
    return readFile(new URL(`../../../dist/${file}`, import.meta.url));
  }
}
