// Values as another realm makes them, by what its `eval` is given: the code runs there, with that realm's own constructors.

interface Kind {
  readonly name: string;
  /** An expression, of a patch for a city. */
  readonly code: string;
  readonly read: (city: Readonly<Record<string, unknown>>) => unknown;
  readonly value: unknown;
}

export const kinds: readonly Kind[] = [
  {
    name: 'a date',
    code: '({ founded: new Date(5) })',
    read: (city) => (city['founded'] as Date).getTime(),
    value: 5,
  },
  {
    name: 'a date of a subclass',
    code: '({ founded: new (class extends Date {})(7) })',
    read: (city) => (city['founded'] as Date).getTime(),
    value: 7,
  },
  {
    name: 'bytes',
    code: '({ flag: new Uint8Array([1, 2]) })',
    read: (city) => [...(city['flag'] as Uint8Array)],
    value: [1, 2],
  },
  {
    name: 'a part of a buffer',
    code: '({ flag: new Uint8Array(new Uint8Array([9, 8, 7, 6]).buffer, 1, 2) })',
    read: (city) => [...(city['flag'] as Uint8Array)],
    value: [8, 7],
  },
  {
    name: 'a plain object in json',
    code: '({ notes: { a: { b: 1 } } })',
    read: (city) => city['notes'],
    value: { a: { b: 1 } },
  },
  {
    name: 'an object without a prototype in json',
    code: '({ notes: Object.assign(Object.create(null), { a: 1 }) })',
    read: (city) => city['notes'],
    value: { a: 1 },
  },
  {
    name: 'a list in json',
    code: '({ notes: [1, [2, { c: 3 }]] })',
    read: (city) => city['notes'],
    value: [1, [2, { c: 3 }]],
  },
  {
    name: 'a date and bytes in json',
    code: '({ notes: [new Date(3), new Uint8Array([4])] })',
    read: (city) => {
      const [date, bytes] = city['notes'] as [Date, Uint8Array];
      return [date.getTime(), ...bytes];
    },
    value: [3, 4],
  },
  {
    name: 'a text, a number, a boolean and a name',
    code: '({ name: "x".concat("y"), population: Number("3"), capital: Boolean(1), size: "m" })',
    read: ({ name, population, capital, size }) => [name, population, capital, size],
    value: ['xy', 3, true, 'm'],
  },
];

/** What is refused, of whatever realm it is: each with what the sentence must say. */
export const refused: readonly { readonly name: string; readonly code: string; says: RegExp }[] = [
  { name: 'an instance of a class', code: '({ notes: new (class A {})() })', says: /object of A/ },
  {
    name: 'an instance of a class without a prototype above it',
    code: '({ notes: new (class B extends null { constructor() { return Object.create(new.target.prototype); } })() })',
    says: /object of B/,
  },
  { name: 'a map', code: '({ notes: new Map([[1, 2]]) })', says: /object of Map/ },
  { name: 'a set', code: '({ notes: new Set([1]) })', says: /object of Set/ },
  { name: 'an error', code: '({ notes: new TypeError("x") })', says: /object of TypeError/ },
  { name: 'a pattern', code: '({ notes: /x/ })', says: /object of RegExp/ },
  {
    name: 'a buffer in json',
    code: '({ notes: new ArrayBuffer(2) })',
    says: /object of ArrayBuffer/,
  },
  {
    name: 'other numbers in json',
    code: '({ notes: new Uint16Array(2) })',
    says: /object of Uint16Array/,
  },
  {
    name: 'a buffer as bytes',
    code: '({ flag: new ArrayBuffer(2) })',
    says: /cities.flag takes a Uint8Array/,
  },
  {
    name: 'other numbers as bytes',
    code: '({ flag: new Uint16Array(2) })',
    says: /cities.flag takes a Uint8Array/,
  },
  { name: 'a list as bytes', code: '({ flag: [1] })', says: /cities.flag takes a Uint8Array/ },
  { name: 'a number as a date', code: '({ founded: 5 })', says: /cities.founded takes a Date/ },
  {
    name: 'what only claims to be a date',
    code: '({ founded: { [Symbol.toStringTag]: "Date", getTime: () => 5 } })',
    says: /cities.founded takes a Date/,
  },
  {
    name: 'what only has the prototype of a date',
    code: '({ founded: Object.create(Date.prototype) })',
    says: /cities.founded takes a Date/,
  },
  { name: 'an invalid date', code: '({ founded: new Date(NaN) })', says: /cities.founded|valid/ },
];
