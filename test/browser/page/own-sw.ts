// An application's own service worker, with Skerry in it. A module: the package says `import.meta`, which no classic script may.
import { http, syncWorker } from 'skerry/service-worker';
import { app } from './schema.ts';

syncWorker({ name: 'test', schema: app, remote: http('/v1') });
