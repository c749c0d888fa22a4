/** What a command found bad: one sentence with the next step, and a code for programs. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** What the operating system calls an error, such as ENOSPC. */
export function systemCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown'
}
