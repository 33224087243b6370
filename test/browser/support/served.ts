// The test pages behind a real server of their own.
import { afterAll, beforeAll } from 'vitest';
import { Profile } from './browser.ts';
import { type ServerOptions, TestServer } from './server.ts';
import { buildSite, type Site } from './site.ts';

export interface Served {
  readonly site: Site;
  readonly server: TestServer;
  /** Stops the server and removes the built site. */
  stop(): Promise<void>;
}

export async function serveSite(options: Pick<ServerOptions, 'secret'> = {}): Promise<Served> {
  const site = await buildSite();
  try {
    const server = await TestServer.start({ files: site.files, schema: site.schema, ...options });
    const stop = async () => {
      await server.stop();
      site.remove();
    };
    return { site, server, stop };
  } catch (error) {
    site.remove();
    throw error;
  }
}

/** Shared by the tests of a file: a profile, and a server from before the first test until after the last. */
export class Stage {
  readonly profile = new Profile();
  readonly #others: Profile[] = [];
  #served: Served | undefined;

  constructor() {
    beforeAll(async () => {
      this.#served = await serveSite();
    });
    afterAll(async () => {
      for (const each of [this.profile, ...this.#others]) await each.remove();
      await this.#served?.stop();
    });
  }

  /** The profile of somebody else. */
  another(): Profile {
    const made = new Profile();
    this.#others.push(made);
    return made;
  }

  get served(): Served {
    if (!this.#served) throw new Error('the server has not started yet');
    return this.#served;
  }

  get url(): string {
    return this.served.server.url;
  }
}
