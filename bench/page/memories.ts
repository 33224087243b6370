// Memories of the wasm modules that this page instantiates; the package compiles them before. It is imported before
// a database is opened.
const memories: WebAssembly.Memory[] = [];

type Instantiate = (
  module: WebAssembly.Module,
  imports?: WebAssembly.Imports,
) => Promise<WebAssembly.Instance>;
const instantiate = WebAssembly.instantiate as Instantiate;
WebAssembly.instantiate = (async (module: WebAssembly.Module, imports?: WebAssembly.Imports) => {
  const instance = await instantiate.call(WebAssembly, module, imports);
  for (const value of Object.values(instance.exports))
    if (value instanceof WebAssembly.Memory) memories.push(value);
  return instance;
}) as typeof WebAssembly.instantiate;

export function wasmBytes(): number {
  if (memories.length === 0) throw new Error('no memory of a wasm module was found');
  return memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}
