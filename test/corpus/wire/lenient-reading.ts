// The heads that a careless server would find in the same bytes: one that takes a bare LF for a line end, forgives blanks
// around names, folds `_` and `-`, unfolds continued lines, and settles conflicting framing the way `trusts` says.

export interface LenientRequest {
  readonly startLine: string
  readonly lines: readonly string[]
}

export type Trust = 'content-length' | 'transfer-encoding'

export function readLeniently(text: string, trusts: Trust): LenientRequest[] {
  const requests: LenientRequest[] = []
  for (let at = 0; at < text.length; ) {
    const blank = /\r?\n\r?\n/g
    const skipped = /^[\r\n]*/.exec(text.slice(at))?.[0].length ?? 0
    blank.lastIndex = at + skipped
    const end = blank.exec(text)
    if (end === null) break
    const [startLine = '', ...lines] = text.slice(at + skipped, end.index).split(/\r?\n/)
    requests.push({ startLine, lines })
    at = bodyEnd(text, end.index + end[0].length, lines, trusts)
  }
  return requests
}

function bodyEnd(text: string, start: number, lines: readonly string[], trusts: Trust): number {
  const isChunked = fieldOf(lines, 'transfer-encoding')?.toLowerCase().includes('chunked') === true
  const length = Number.parseInt(fieldOf(lines, 'content-length') ?? '', 10)
  const hasLength = Number.isSafeInteger(length) && length >= 0
  if (isChunked && (trusts === 'transfer-encoding' || !hasLength)) return chunksEnd(text, start)
  return start + (hasLength ? length : 0)
}

/** The last one wins. */
function fieldOf(lines: readonly string[], name: string): string | undefined {
  const found = lines.map((line) => /^([^:]*):(.*)$/.exec(line)).filter((match) => match !== null)
  const folded = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
  return found.findLast(([, candidate = '']) => folded(candidate) === name)?.[2]?.trim()
}

function chunksEnd(text: string, start: number): number {
  for (let at = start; at < text.length; ) {
    const lineEnd = text.indexOf('\n', at)
    if (lineEnd === -1) return text.length
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (!(size > 0)) {
      const end = /\r?\n/g
      end.lastIndex = lineEnd + 1
      const found = end.exec(text)
      return found === null ? text.length : found.index + found[0].length
    }
    at = lineEnd + 1 + size
    const behind = /^\r?\n/.exec(text.slice(at, at + 2))
    at += behind?.[0].length ?? 0
  }
  return text.length
}
