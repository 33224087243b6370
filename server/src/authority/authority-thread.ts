// The core's rules (docs/authority.md) in a thread of their own, because a step over much data would block the event
// loop that answers requests. Calls arrive one by one and are answered in order (authority-link.ts is the other
// side). A handle is made by its first call, and belongs to the module instance of that moment.

import { parentPort, workerData } from 'node:worker_threads';
import type {
  AuthorityThreadOptions,
  CallError,
  DirectCall,
  FromAuthorityThread,
  HandleCall,
  ToAuthorityThread,
} from './authority-link.ts';

interface Handle {
  delete(): void;
}
interface StepHandle extends Handle {
  step(text: Uint8Array): string;
}
interface ImageHandle extends Handle {
  rows(text: Uint8Array): string;
  finish(): string;
  bytes(): Uint8Array;
}
interface AuthorityHandle extends Handle {
  error(): string;
  checkScopes(text: string): string;
  forgetLog(text: string): string;
  survey(text: Uint8Array): string;
  compare(text: Uint8Array): string;
}
interface AuthorityModule {
  Authority: new (schema: string) => AuthorityHandle;
  Admission: new (authority: AuthorityHandle) => StepHandle;
  Pull: new (authority: AuthorityHandle) => StepHandle;
  ImageMaker: new (
    authority: AuthorityHandle,
    realm: string,
    revision: number,
    at: number,
  ) => ImageHandle;
}

/** One instance of the module. */
interface Instance {
  readonly module: AuthorityModule;
  readonly handle: AuthorityHandle;
  /** A broken invariant, or no memory was left: its memory can no longer be trusted. */
  trapped: boolean;
}

interface OpenHandle {
  readonly instance: Instance;
  readonly handle: Handle;
}

if (parentPort === null) throw new Error('This file is the entry of a thread.');
const port = parentPort;
const { schemaText } = workerData as AuthorityThreadOptions;
const held = new Map<number, OpenHandle>();
let instance: Instance;

function say(message: FromAuthorityThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** Text as the module accepts it. A string would be copied into its memory character by character, in JavaScript. */
function utf8(text: string): Uint8Array {
  return Buffer.from(text);
}

async function instantiate(): Promise<Instance | string> {
  const { default: create } = (await import('skerry/authority')) as unknown as {
    default: () => Promise<AuthorityModule>;
  };
  const module = await create();
  const handle = new module.Authority(schemaText);
  const error = handle.error();
  if (error === '') return { module, handle, trapped: false };
  const { detail, code } = JSON.parse(error) as { code: string; detail: string };
  return `The schema is refused: ${detail || code}`;
}

/** Another call has trapped in the instance of this handle. */
class Elsewhere extends Error {}

/** Runs calls into an instance, and marks it as trapped if WebAssembly reports a trap. */
function within<Value>(instance: Instance, work: () => Value): Value {
  if (instance.trapped) throw new Elsewhere('The authority has trapped in another request.');
  try {
    return work();
  } catch (error) {
    instance.trapped = error instanceof WebAssembly.RuntimeError;
    throw error;
  }
}

/** A fresh instance after a trap. The requests of the old one have failed and may be sent again. */
async function freshInstance(): Promise<Instance> {
  if (instance.trapped) {
    const fresh = await instantiate();
    if (typeof fresh === 'string') throw new Error(fresh);
    instance = fresh;
  }
  return instance;
}

async function handleOf({ handle: number, make }: HandleCall): Promise<OpenHandle> {
  const known = held.get(number);
  if (known !== undefined) return known;
  const instance = await freshInstance();
  const { module, handle: authority } = instance;
  const handle = within(instance, () => {
    if (make.kind === 'admission') return new module.Admission(authority);
    if (make.kind === 'pull') return new module.Pull(authority);
    return new module.ImageMaker(authority, make.realm, make.revision, make.at);
  });
  const made = { instance, handle };
  held.set(number, made);
  return made;
}

async function answer(call: HandleCall): Promise<void> {
  const { instance, handle } = await handleOf(call);
  const began = performance.now();
  const text = within(instance, () => {
    if (call.what === 'step') return (handle as StepHandle).step(utf8(call.text));
    if (call.what === 'rows') return (handle as ImageHandle).rows(utf8(call.text));
    return (handle as ImageHandle).finish();
  });
  const ms = performance.now() - began;
  if (call.what !== 'finish') return say({ text, ms });
  const bytes = within(instance, () => (handle as ImageHandle).bytes().slice());
  return say({ text, ms, bytes }, [bytes.buffer as ArrayBuffer]);
}

function end(number: number): void {
  const known = held.get(number);
  held.delete(number);
  if (known !== undefined && !known.instance.trapped) {
    within(known.instance, () => known.handle.delete());
  }
}

/** Surveys and comparisons are of large texts. */
function ask(handle: AuthorityHandle, { ask, text }: { ask: DirectCall; text: string }): string {
  return ask === 'survey' || ask === 'compare' ? handle[ask](utf8(text)) : handle[ask](text);
}

async function take(message: ToAuthorityThread): Promise<void> {
  try {
    if ('end' in message) end(message.end);
    else if ('ask' in message) {
      const instance = await freshInstance();
      const began = performance.now();
      const text = within(instance, () => ask(instance.handle, message));
      say({ text, ms: performance.now() - began });
    } else await answer(message);
  } catch (error) {
    const { message: text, stack } = error as Error;
    const trapped = error instanceof WebAssembly.RuntimeError;
    const failure: CallError = {
      message: text,
      stack,
      trapped,
      elsewhere: error instanceof Elsewhere,
    };
    // Nobody waits for a call that only ends a handle.
    if (!('end' in message)) say({ error: failure });
  }
}

const first = await instantiate();
if (typeof first === 'string') {
  say({ refused: first });
  port.close();
} else {
  instance = first;
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: ToAuthorityThread) => {
    last = last.then(() => take(message));
  });
  say({ ready: true });
}
