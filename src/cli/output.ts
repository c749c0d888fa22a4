// What a person sees: colours and a progress bar only on a terminal, tables that line up.

export interface Output {
  out(line: string): void
  error(line: string): void
  /** Replaces the last progress line; nothing where nobody looks. */
  progress(line: string): void
  bold(text: string): string
  red(text: string): string
  green(text: string): string
}

export function createOutput(): Output {
  const coloured = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === ''
  const bar = process.stderr.isTTY === true
  const paint = (code: number, text: string): string => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
  let shown = false
  const clear = (): void => {
    if (shown) process.stderr.write('\r\u001b[2K')
    shown = false
  }
  return {
    out: (line) => {
      clear()
      process.stdout.write(`${line}\n`)
    },
    error: (line) => {
      clear()
      process.stderr.write(`${line}\n`)
    },
    progress: (line) => {
      if (!bar) return
      clear()
      process.stderr.write(line)
      shown = true
    },
    bold: (text) => paint(1, text),
    red: (text) => paint(31, text),
    green: (text) => paint(32, text),
  }
}

const barCells = 24

export function progressBar(done: number, total: number): string {
  const filled = Math.floor((done / Math.max(1, total)) * barCells)
  return `[${'#'.repeat(filled)}${'.'.repeat(barCells - filled)}] ${done}/${total}`
}

/** Columns as wide as their widest cell; numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (/^[0-9.,%]+$/.test(cell) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}
