/** `skerry/redux`: a Redux store that works offline and is in step with others. Importing it does nothing. */
export { type SkerryStore, skerryEnhancer } from './enhancer.ts';
export type { EnhancerOptions, PersistOptions, Which } from './options.ts';
