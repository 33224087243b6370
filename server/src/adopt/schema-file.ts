// The file of the schema of adopted tables. It is complete before the transaction is committed, under another name, so that there are never
// adopted tables without a schema; then it gets its name.

import { constants, copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { SetupError } from '../base/setup-error.ts';

export class SchemaFile {
  readonly #path: string;
  readonly #draft: string;
  #isComplete = false;

  /** Nothing may be there, and the folder must be writable. */
  constructor(path: string) {
    this.#path = path;
    this.#draft = `${path}.new`;
    if (existsSync(path)) throw new SetupError(`--schema ${path}: there is such a file already.`);
    if (existsSync(this.#draft))
      throw new SetupError(
        `--schema ${path}: there is a file ${this.#draft}, of an adoption that was cut off. If the tables are adopted, it is their schema: rename it. Else delete it.`,
      );
    this.#write('');
  }

  /** The whole schema, before the tables are adopted. */
  complete(text: string): void {
    this.#write(text);
    this.#isComplete = true;
  }

  #write(text: string): void {
    try {
      writeFileSync(this.#draft, text);
    } catch (error) {
      throw new SetupError(`--schema ${this.#path} cannot be written: ${(error as Error).message}`);
    }
  }

  /** Gives it its name, unless another file has it now. Returns where it is. */
  publish(): string {
    try {
      copyFileSync(this.#draft, this.#path, constants.COPYFILE_EXCL);
    } catch (error) {
      console.error(
        `The tables are adopted, but their schema could not be written to ${this.#path}: ${(error as Error).message}. It is in ${this.#draft}: rename it.`,
      );
      return this.#draft;
    }
    this.discard();
    return this.#path;
  }

  /** The connection was lost, or this program is at fault: perhaps in the moment of the commit. */
  giveUp(): void {
    if (!this.#isComplete) this.discard();
    else
      console.error(
        `It is not certain whether the tables are adopted. If they are (they have a column skerry_id), their schema is in ${this.#draft}: rename it. Else delete it.`,
      );
  }

  /** Nothing was adopted. */
  discard(): void {
    rmSync(this.#draft, { force: true });
  }
}
