/** Ends a command with a sentence for the person who gave it, and an exit code. */
export class CommandError extends Error {
  readonly exitCode: 1 | 2

  constructor(exitCode: 1 | 2, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}

/** What was asked for did not happen. */
export function failure(message: string, cause?: unknown): CommandError {
  return new CommandError(1, message, cause)
}

/** The command itself, or the configuration, is wrong. */
export function misuse(message: string): CommandError {
  return new CommandError(2, message)
}
