/** The host that a browser's window is. Made when a database is opened, never by an import. */
import { UnsupportedError } from '../core/errors.ts';
import { commonBrowserHost } from './browser-common.ts';
import { dedicatedWorkers } from './dedicated-workers.ts';
import type { Host } from './host.ts';
import { browserPage } from './page.ts';
import type { ServiceHost } from './service-link.ts';
import { browserSession } from './session.ts';

export function browserHost(): Host {
  if (typeof document === 'undefined')
    throw new UnsupportedError(
      'no_window',
      'A database is opened in a browser’s window. Elsewhere, open() wants a host: memory() of skerry/testing.',
    );
  return {
    ...commonBrowserHost(),
    page: browserPage,
    workers: dedicatedWorkers,
    locks: 'locks' in navigator,
    images: true,
    services,
    session: browserSession,
    resolve: (url) => new URL(url, location.href),
  };
}

/** Few applications use this: it is a file of its own. */
const services: ServiceHost = async (...args) =>
  (await import('./service-registration.ts')).registerService(...args);
