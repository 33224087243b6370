/** Something that the operator has to set otherwise, in one sentence: the command prints it, without a stack. */
export class SetupError extends Error {}
