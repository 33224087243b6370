// The package skerry-server, for programs that start a server of their own.
export { createServer, type RunningServer, type ServerOptions } from './server.ts';
