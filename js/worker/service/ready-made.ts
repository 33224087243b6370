/**
 * The ready-made service worker, for applications that have none: `skerry-sw.js`, one classic script, to be served from
 * the application's root. The windows have written its configuration into their databases.
 */
import { serve } from './serve.ts';

serve(null, (file) => new URL(file, location.href));
