// The module starts itself; without a name of its own a bundler leaves it out.
import { makeWorker } from '@livestore/adapter-web/shared-worker';

globalThis.makeWorker = makeWorker;
