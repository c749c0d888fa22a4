/** What replica-program.ts says when it serves, and signals reach it. */
export const readyLine = 'ready for signals'
