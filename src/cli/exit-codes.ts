/** What a command's end means to whoever called it. */
export const exitCode = {
  ok: 0,
  /** The command did its work, and what it found is bad: a violation, a file that is refused. */
  failed: 1,
  /** The command was not understood; nothing was done. */
  usage: 2,
  /** Ctrl-C. */
  interrupted: 130,
} as const
