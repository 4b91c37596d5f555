/** Something that the person at the keyboard can mend: shown as one sentence, without a stack, with exit code 1. */
export class UserError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
  }
}
