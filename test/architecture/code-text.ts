// A source without its comments, and without what stands in its strings, templates and regular expressions. Nothing moves: what is
// left out becomes blanks.

export interface CodeTextOptions {
  /** Leaves strings and templates as they are: what is imported stands in one. */
  keepStrings?: boolean
}

/** What stands before a slash decides whether it divides or begins a regular expression. */
const beforeExpression = /(?:^|[=(,:;[!&|?{}+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw))\s*$/

export function codeOf(text: string, { keepStrings = false }: CodeTextOptions = {}): string {
  let code = ''
  /** For each template that is open: how many braces of the code in it are open. */
  const braces: number[] = []
  const keep = (end: number): void => void (code += text.slice(code.length, end))
  const blank = (end: number): void => void (code += text.slice(code.length, end).replace(/[^\n]/g, ' '))
  const literal = keepStrings ? keep : blank
  /** From behind the mark that opens a template, or ends the code in it, to the code that follows in it, or to its end. */
  const template = (): void => {
    const end = endOfTemplateText(text, code.length + 1)
    if (text[end] === '$') braces.push(0)
    literal(end + (text[end] === '$' ? 2 : 1))
  }
  while (code.length < text.length) {
    const start = code.length
    const one = text[start]!
    const two = text.slice(start, start + 2)
    if (two === '//') blank(endOf(text, start, '\n'))
    else if (two === '/*') blank(endOf(text, start + 2, '*/') + 2)
    else if (one === '"' || one === "'") literal(endOfString(text, start))
    else if (one === '`') template()
    else if (one === '}' && braces.at(-1) === 0) {
      braces.pop()
      template()
    } else if (one === '/' && beforeExpression.test(code.slice(-40))) blank(endOfExpression(text, start))
    else {
      if (braces.length > 0 && one === '{') braces[braces.length - 1]! += 1
      if (braces.length > 0 && one === '}') braces[braces.length - 1]! -= 1
      keep(start + 1)
    }
  }
  return code
}

function endOf(text: string, from: number, mark: string): number {
  const end = text.indexOf(mark, from)
  return end < 0 ? text.length : end
}

function endOfTemplateText(text: string, start: number): number {
  let end = start
  while (end < text.length && text[end] !== '`' && text.slice(end, end + 2) !== '${') end += text[end] === '\\' ? 2 : 1
  return end
}

function endOfString(text: string, start: number): number {
  let end = start + 1
  while (end < text.length && text[end] !== text[start] && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1
  return end + 1
}

function endOfExpression(text: string, start: number): number {
  let end = start + 1
  let inClass = false
  while (end < text.length && text[end] !== '\n' && (inClass || text[end] !== '/')) {
    if (text[end] === '[') inClass = true
    if (text[end] === ']') inClass = false
    end += text[end] === '\\' ? 2 : 1
  }
  return end + 1
}
