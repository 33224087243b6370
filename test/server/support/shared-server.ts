// One server for all tests of a file, or of a `describe`: it starts before the first and stops after the last.

import { afterAll, beforeAll } from 'vitest';
import { Folder, type StartOptions, startServer, type TestServer, WireClient } from './server.ts';

export interface SharedOptions extends StartOptions {
  /** The schema's description; the tests' own by default. */
  readonly schema?: unknown;
  /** What the module of the schema exports besides, as text. */
  readonly exports?: string;
}

/** Options, or a function that makes them from the folder. */
type Prepare = (folder: Folder) => SharedOptions | Promise<SharedOptions>;

export class SharedServer {
  readonly folder = new Folder();
  readonly #prepare: Prepare;
  #running: TestServer | undefined;

  constructor(options: SharedOptions | Prepare = {}) {
    this.#prepare = typeof options === 'function' ? options : () => options;
    beforeAll(() => this.#start());
    afterAll(async () => {
      await this.#running?.stop();
      this.folder.remove();
    });
  }

  get url(): string {
    return this.#server.url;
  }

  get pid(): number | undefined {
    return this.#server.process.pid;
  }

  output(): string {
    return this.#server.output();
  }

  /** A new client of the wire. */
  client(user?: string): WireClient {
    return new WireClient(this.url, user);
  }

  /** Stops the server and starts it again on the same data. */
  async restart(): Promise<void> {
    await this.#server.stop();
    await this.#start();
  }

  get #server(): TestServer {
    if (this.#running === undefined) throw new Error('The server has not started yet.');
    return this.#running;
  }

  async #start(): Promise<void> {
    const { schema, exports, ...options } = await this.#prepare(this.folder);
    this.#running = await startServer(this.folder, this.folder.schema(schema, exports), options);
  }
}
