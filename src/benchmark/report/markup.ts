// Text from anywhere, as text in SVG and HTML: in an element, or in a quoted attribute.

const marks: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** What no document may hold, such as a bell or half of a surrogate pair. */
const forbidden = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => marks[mark]!).replace(forbidden, '\ufffd')
}

export function plainTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<table>${cells(titles, 'th')}\n${rows.map((row) => cells(row, 'td')).join('\n')}</table>`
}
