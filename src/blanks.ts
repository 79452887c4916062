/**
 * The text without the blanks that may surround a field value and the items of a list: space and tab alone (RFC 9110
 * section 5.6.3). `String.trim` would take more, such as U+00A0, which is a byte of the value to every other reader.
 */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09
}
