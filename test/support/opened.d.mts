// Loaded for what it does (opened.mjs); it exports nothing.
export {};
