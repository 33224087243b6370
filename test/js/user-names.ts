// Names of users, for the tests of the one rule on the client and on the server.

/** Of any script, with spaces, at the limit of 91 bytes of UTF-8. */
export const userNames = [
  '王小明',
  'Ольга Ивановна',
  'Åsa Öberg',
  '😀',
  'Ada Lovelace',
  ' led and trailed ',
  'cn=Ada Lovelace,ou=People,dc=example',
  'ada@example.org',
  'auth0|5f7c',
  '100%',
  'a%41',
  'a/b:c?d#e',
  '..',
  'quote\'"',
  'x'.repeat(91),
  '漢'.repeat(30),
  'é'.repeat(45),
];

/** Each with why not: one byte above the limit, in several scripts; and what no header, log or database takes. */
export const refusedNames: readonly (readonly [name: string, why: 'long' | 'form'])[] = [
  ['x'.repeat(92), 'long'],
  ['漢'.repeat(31), 'long'],
  [`${'é'.repeat(45)}xx`, 'long'],
  ['😀'.repeat(23), 'long'],
  ['', 'form'],
  ['a\u0000b', 'form'],
  ['a\nb', 'form'],
  ['\u007f', 'form'],
  ['a\ud800b', 'form'],
  ['\udc00', 'form'],
];
