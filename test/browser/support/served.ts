// The test pages behind a real server of their own.
import { type ServerOptions, TestServer } from './server.ts';
import { buildSite, type Site } from './site.ts';

export interface Served {
  readonly site: Site;
  readonly server: TestServer;
  /** Stops the server and removes what was built. */
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
