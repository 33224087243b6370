// A real skerry-server in a process of its own, on a data folder of its own, serving the built demo.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { placeDatabase, quickStart } from '../../support/initialised.ts';
import { patience } from '../../support/patience.ts';
import { root } from './paths.ts';

const READY = /skerry-server ready (http:\/\/\S+)/;
const START_LIMIT_MS = patience(120_000);
const STOP_LIMIT_MS = patience(20_000);

export interface ServerOptions {
  /** Fill the realm `public` with the demo's cities on first start. */
  readonly seed?: boolean;
  /** An existing data folder; otherwise a fresh one, removed by `stop`. */
  readonly data?: string;
  /** The folder of static files; the built demo by default. */
  readonly files?: string;
  /** The schema module; the demo's by default. */
  readonly schema?: string;
  /** The key of HS256 tokens, which are accepted beside those of `--dev`. */
  readonly secret?: string;
  /** Whether the invited are asked; by default their memberships count at once. */
  readonly asks?: boolean;
  /** More arguments of its command. */
  readonly more?: readonly string[];
}

export class TestServer {
  readonly url: string;
  readonly data: string;
  readonly #child: ChildProcess;
  readonly #ownData: boolean;
  readonly #output: string[];

  private constructor(
    child: ChildProcess,
    url: string,
    data: string,
    ownData: boolean,
    output: string[],
  ) {
    this.#child = child;
    this.url = url;
    this.data = data;
    this.#ownData = ownData;
    this.#output = output;
  }

  /** Resolves when the server says that it is ready; rejects with its output when it ends before. */
  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const data = options.data ?? mkdtempSync(join(tmpdir(), 'skerry-data-'));
    placeDatabase(data);
    const demo = join(root, 'web-demo', 'dist');
    const args = [
      // Filling the database is work enough to compile the wasm for speed.
      ...(options.seed ? [] : quickStart),
      join(root, 'server', 'dist', 'main.js'),
      ...['--schema', options.schema ?? join(demo, 'schema.js')],
      ...['--port', '0', '--data', data, '--dev'],
      ...['--static', options.files ?? demo],
      ...(options.secret ? ['--secret', options.secret] : []),
      ...(options.seed ? ['--seed', join(demo, 'seed.js')] : []),
      ...(options.asks ? [] : ['--invitations', 'direct']),
      ...(options.more ?? []),
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output: string[] = [];
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => fail('was not ready in time'), START_LIMIT_MS);
      const fail = (what: string) => {
        clearTimeout(timer);
        child.kill('SIGKILL');
        reject(new Error(`the server ${what}:\n${output.join('')}`));
      };
      const hear = (chunk: Buffer) => {
        output.push(chunk.toString());
        const found = READY.exec(output.join(''));
        if (!found?.[1]) return;
        clearTimeout(timer);
        resolve(found[1]);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (code) => fail(`ended with ${code}`));
    });
    child.removeAllListeners('exit');
    return new TestServer(child, url, data, options.data === undefined, output);
  }

  get output(): string {
    return this.#output.join('');
  }

  /** SIGTERM, then SIGKILL when it takes too long. Removes the data folder if `start` made it. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    if (this.#ownData) rmSync(this.data, { recursive: true, force: true });
  }

  /** SIGKILL; the data folder stays, for a start on it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      child.kill(signal);
    });
  }
}
