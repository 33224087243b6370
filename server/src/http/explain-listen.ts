import { SetupError } from '../base/setup-error.ts';

/** Explains why the server cannot listen, if the operator can correct it. */
export function explainListen(error: Error, port: number, host: string): Error {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} of ${host} is taken by another program: name another by --port.`,
    EACCES: `Port ${port} of ${host} may not be used by this user: name another by --port.`,
    EADDRNOTAVAIL: `--host ${host} is no address of this machine.`,
    ENOTFOUND: `--host ${host} is no address of this machine.`,
  };
  const sentence = why[(error as { code?: string }).code ?? ''];
  return sentence === undefined ? error : new SetupError(sentence, { cause: error });
}
