/** A mistake in the operator's settings, explained in one sentence. The command prints it without a stack. */
export class SetupError extends Error {}
