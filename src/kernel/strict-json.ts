// JSON as a stranger may have written it: bounded depth, no name twice in one object, and a line number for whoever must mend it.
// The built-in parser takes the last of two equal names, so that two readers of one file could see two different networks.

export type StrictJson = { ok: true; value: unknown } | { ok: false; line: number; reason: string }

/** Levels of lists and objects inside each other. */
export const jsonDepthMax = 16
/** Characters of one number: more than any safe integer has. */
const numberCharactersMax = 40

/** What a parse throws to leave it; never leaves this file. */
class Unreadable extends Error {}

/** Total on any text. Objects come without a prototype, so `__proto__` is a name like any other. */
export function parseStrictJson(text: string): StrictJson {
  const parser = new Parser(text)
  try {
    return { ok: true, value: parser.whole() }
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, line: parser.line(), reason: error.message }
    throw error
  }
}

class Parser {
  readonly #text: string
  #offset = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  line(): number {
    let line = 1
    for (let offset = 0; offset < this.#offset; offset++) if (this.#text[offset] === '\n') line += 1
    return line
  }

  whole(): unknown {
    const value = this.#value()
    if (this.#peek() !== '') throw new Unreadable('has something behind the end')
    return value
  }

  #value(): unknown {
    const next = this.#peek()
    if (next === '{') return this.#nested(() => this.#object())
    if (next === '[') return this.#nested(() => this.#list())
    if (next === '"') return this.#string()
    for (const [word, value] of words) if (this.#text.startsWith(word, this.#offset)) return this.#word(word, value)
    if (isNumberCharacter(next)) return this.#number()
    throw new Unreadable(next === '' ? 'ends too early' : 'has no value where one belongs')
  }

  #nested(read: () => unknown): unknown {
    if (this.#depth === jsonDepthMax) throw new Unreadable(`nests deeper than ${jsonDepthMax} levels`)
    this.#depth += 1
    const value = read()
    this.#depth -= 1
    return value
  }

  #object(): unknown {
    const object = Object.create(null) as Record<string, unknown>
    this.#items('}', () => {
      if (this.#peek() !== '"') throw new Unreadable('has no name in quotes where one belongs')
      const name = this.#string()
      if (name in object) throw new Unreadable(`says ${shown(name)} a second time in one object`)
      this.#take(':')
      object[name] = this.#value()
    })
    return object
  }

  #list(): unknown {
    const list: unknown[] = []
    this.#items(']', () => list.push(this.#value()))
    return list
  }

  /** What stands between brackets, with commas between and none behind. */
  #items(end: string, read: () => void): void {
    this.#offset += 1
    if (this.#peek() !== end) {
      read()
      while (this.#peek() === ',') {
        this.#offset += 1
        read()
      }
    }
    this.#take(end)
  }

  #string(): string {
    let end = this.#offset + 1
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1
    return this.#scalar(end + 1, 'has text that is not closed, or holds what text may not') as string
  }

  #number(): unknown {
    let end = this.#offset
    while (isNumberCharacter(this.#text[end] ?? '') && end - this.#offset <= numberCharactersMax) end += 1
    if (end - this.#offset > numberCharactersMax) throw new Unreadable('has a number that is too long')
    return this.#scalar(end, 'has a number that is none')
  }

  #word(word: string, value: unknown): unknown {
    this.#offset += word.length
    return value
  }

  /** Text and numbers without anything inside them are left to the built-in parser. */
  #scalar(end: number, reason: string): unknown {
    const token = this.#text.slice(this.#offset, end)
    let value: unknown
    try {
      value = JSON.parse(token)
    } catch {
      throw new Unreadable(reason)
    }
    this.#offset = end
    return value
  }

  #take(character: string): void {
    if (this.#peek() !== character)
      throw new Unreadable(`lacks ${character === ':' ? 'a colon' : `a comma or ${character}`}`)
    this.#offset += 1
  }

  /** The next character that is no white space; empty at the end. */
  #peek(): string {
    while (this.#offset < this.#text.length && ' \t\n\r'.includes(this.#text[this.#offset]!)) this.#offset += 1
    return this.#text[this.#offset] ?? ''
  }
}

const words: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

function isNumberCharacter(character: string): boolean {
  return character !== '' && '+-.0123456789eE'.includes(character)
}

/** Something from outside, for a sentence that a terminal shows: short, and printable ASCII only. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  const text = JSON.stringify(value) ?? 'unreadable'
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text
  return short.replaceAll(/[^\x20-\x7e…]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
