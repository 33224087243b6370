/** Whether all is to run, whatever has passed before: asked for, or in a run that a service starts, which sets `CI`. */
export const isFresh = (given, env) =>
  given.includes('--fresh') || !['', '0', 'false', undefined].includes(env.CI);
