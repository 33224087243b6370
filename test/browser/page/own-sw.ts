// An application's own service worker, with Skerry in it.
import { http, syncWorker } from 'skerry/service-worker';
import { app } from './schema.ts';

syncWorker({ name: 'test', schema: app, remote: http('/v1') });
