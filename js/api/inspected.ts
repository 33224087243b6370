/** A database has its DatabaseCore under this symbol, for `skerry/inspector`, which is a bundle of its own. */
export const inspected: unique symbol = Symbol.for('skerry/inspected');
