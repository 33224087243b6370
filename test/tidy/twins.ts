// Enumerations of the core that JavaScript repeats, read from the texts of both sides.

/** Numbers by name. Names are in lower case, with `_` between words, on whichever side they were read. */
export type Numbers = Readonly<Record<string, number>>;

function inOneCase(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
}

function found(text: string, pattern: RegExp): string {
  const body = pattern.exec(text)?.[1];
  if (body === undefined) throw new Error(`Nothing matches ${pattern.source}.`);
  return body;
}

/** The enumerators of `enum class <name>`. Each must have its number. */
export function enumOf(text: string, name: string): Numbers {
  const code = text.replace(/\/\/.*$/gm, '');
  const body = found(code, new RegExp(`enum class ${name}\\b[^{]*\\{([^}]*)\\}`));
  const parts = body.split(',').map((part) => part.trim());
  return Object.fromEntries(
    parts
      .filter((part) => part !== '')
      .map((part) => {
        const [, enumerator, number] = /^k(\w+) = (-?\d+)$/.exec(part) ?? [];
        if (enumerator === undefined) throw new Error(`${name}: ${part} has no number.`);
        return [inOneCase(enumerator), Number(number)];
      }),
  );
}

/** The error classes that comments behind the enumerators of `enum class <name>` name. */
export function classesOf(text: string, name: string): Readonly<Record<string, string>> {
  const body = found(text, new RegExp(`enum class ${name}\\b[^{]*\\{([^}]*)\\}`));
  const lines = body.matchAll(/k(\w+) = \d+,\s*\/\/.*?\b(\w+Error)$/gm);
  return Object.fromEntries([...lines].map(([, key = '', type]) => [inOneCase(key), type ?? '']));
}

/** The members of `const <name> = {…} as const`, which are numbers. */
export function objectOf(text: string, name: string): Numbers {
  const body = found(text, new RegExp(`const ${name} = \\{([^}]*)\\} as const;`));
  const members = body.matchAll(/(\w+): (-?\d+)/g);
  return Object.fromEntries([...members].map(([, key = '', n]) => [inOneCase(key), Number(n)]));
}

/** The entries `['code', Class]` of the list `const <name>`: each code with its class, in their order. */
export function entriesOf(text: string, name: string): readonly (readonly [string, string])[] {
  const body = found(text, new RegExp(`const ${name}: [^=]*= \\[([^;]*)\\];`));
  return [...body.matchAll(/\['(\w+)', (\w+)\]/g)].map(([, code = '', type = '']) => [code, type]);
}

/** The number that `const <name>` is. */
export function numberOf(text: string, name: string): number {
  return Number(found(text, new RegExp(`const ${name} = (-?\\d+);`)));
}
