// The one strict reading of a stream of requests (RFC 9112), written without the program's parser: what a client sent,
// and what the upstream got, are both read by it. Text is Latin-1, one character per byte.

export interface ReadRequest {
  readonly method: string
  readonly target: string
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Decoded, as far as it came. */
  readonly body: string
  readonly isWhole: boolean
}

export interface Reading {
  readonly requests: readonly ReadRequest[]
  /** Where the first request begins that is not whole. */
  readonly end: number
  /** What no strict reader takes; everything behind it is nothing. */
  readonly fault: string | undefined
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// RFC 9112 section 3 lets a reader take several spaces for one.
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) +([^\0-\x20\x7f]+) +(HTTP\/1\.[01])$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Reads as many requests as there are. */
export function readRequests(text: string): Reading {
  const requests: ReadRequest[] = []
  let at = 0
  while (at < text.length) {
    const start = skipEmptyLines(text, at)
    const next = start < text.length ? readRequest(text, start) : 'more'
    if (typeof next === 'string') {
      return { requests, end: at, fault: next === 'more' ? undefined : next }
    }
    requests.push(next.request)
    if (next.fault !== undefined || !next.request.isWhole) {
      return { requests, end: at, fault: next.fault }
    }
    at = next.end
  }
  return { requests, end: at, fault: undefined }
}

// RFC 9112 section 2.2: empty lines before a request line are ignored.
function skipEmptyLines(text: string, at: number): number {
  let start = at
  while (text[start] === '\r' || text[start] === '\n') start++
  return start
}

interface Next {
  readonly request: ReadRequest
  readonly end: number
  readonly fault: string | undefined
}

/** `more`: its head has not come whole. Any other text is a fault in the head. */
function readRequest(text: string, at: number): Next | string {
  const headEnd = text.indexOf('\r\n\r\n', at)
  const head = text.slice(at, headEnd === -1 ? text.length : headEnd)
  if (headEnd === -1) return 'more'
  const [line = '', ...lines] = head.split('\r\n')
  const [, method = '', target = ''] = REQUEST_LINE.exec(line) ?? []
  if (method === '') return 'request line'
  const headers: [string, string][] = []
  for (const field of lines) {
    const colon = field.indexOf(':')
    const name = field.slice(0, Math.max(colon, 0))
    const value = field.slice(colon + 1)
    if (!TOKEN.test(name) || !VALUE.test(value)) return 'field line'
    headers.push([name.toLowerCase(), value.replace(/^[ \t]+|[ \t]+$/g, '')])
  }
  const frame = frameOf(headers)
  if (typeof frame === 'string') return frame
  const { body, end, isWhole, fault } = readBody(text, headEnd + 4, frame)
  return { request: { method, target, headers, body, isWhole }, end, fault }
}

type Frame = { readonly length: number } | { readonly chunked: true }

function frameOf(headers: readonly (readonly [string, string])[]): Frame | string {
  const valuesOf = (wanted: string) =>
    headers.filter(([name]) => name === wanted).map(([, value]) => value)
  const codings = valuesOf('transfer-encoding')
  const lengths = valuesOf('content-length')
  if (codings.length + lengths.length > 1) return 'two frames'
  if (codings.length === 1) {
    return codings[0]?.toLowerCase() === 'chunked' ? { chunked: true } : 'coding'
  }
  const [length = '0'] = lengths
  return /^[0-9]{1,15}$/.test(length) ? { length: Number(length) } : 'length'
}

interface Body {
  readonly body: string
  readonly end: number
  readonly isWhole: boolean
  readonly fault: string | undefined
}

function readBody(text: string, at: number, frame: Frame): Body {
  if ('chunked' in frame) return readChunks(text, at)
  const end = at + frame.length
  return { body: text.slice(at, end), end, isWhole: end <= text.length, fault: undefined }
}

// RFC 9112 section 7.1; extensions and trailers are read and dropped.
const CHUNK_HEAD = /^([0-9A-Fa-f]+)[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/

function readChunks(text: string, start: number): Body {
  let body = ''
  let at = start
  const stop = (isWhole: boolean, fault?: string): Body => ({ body, end: at, isWhole, fault })
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return stop(false)
    const size = Number.parseInt(CHUNK_HEAD.exec(text.slice(at, lineEnd))?.[1] ?? 'x', 16)
    if (Number.isNaN(size)) return stop(false, 'chunk size')
    at = lineEnd + 2
    if (size === 0) break
    body += text.slice(at, at + size)
    at += size
    if (at + 2 > text.length) return stop(false)
    if (text.slice(at, at + 2) !== '\r\n') return stop(false, 'chunk end')
    at += 2
  }
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return stop(false)
    const field = text.slice(at, lineEnd)
    at = lineEnd + 2
    if (field === '') return stop(true)
    const colon = field.indexOf(':')
    const isField = TOKEN.test(field.slice(0, Math.max(colon, 0))) && VALUE.test(field)
    if (!isField) return stop(false, 'trailer line')
  }
}

/**
 * How a careless server might read the same bytes: any line end, folded names, blanks anywhere, any sign of chunks, the
 * last length. Gives the first line of each request.
 */
export function readCarelessly(text: string): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > 0) {
    rest = rest.replace(/^[\r\n]+/, '')
    const end = EMPTY_LINE.exec(rest)
    if (end === null) return lines
    const [line = '', ...fields] = rest.slice(0, end.index).split(LINE_END)
    lines.push(line)
    const body = rest.slice(end.index + end[0].length)
    rest = body.slice(carelessLength(fields, body))
  }
  return lines
}

const LINE_END = /\r\n|\r|\n/
const EMPTY_LINE = /(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r(?!\n)|\n)/

function carelessLength(fields: readonly string[], body: string): number {
  let length = 0
  for (const field of fields) {
    const [, spelled = '', value = ''] = /^\s*([^:\s]*)\s*:(.*)$/s.exec(field) ?? []
    const name = spelled.toLowerCase().replace(/[^a-z0-9]/g, '-')
    if (name === 'transfer-encoding' && /chunk/i.test(value)) {
      return carelessChunks(body)
    }
    if (name === 'content-length') length = Number.parseInt(value.replace(/^\D*/, ''), 10) || 0
  }
  return length
}

function carelessChunks(body: string): number {
  let at = 0
  for (let rest = body; ; rest = body.slice(at)) {
    const end = LINE_END.exec(rest)
    if (end === null) return body.length
    const size = Number.parseInt(rest, 16) || 0
    at += end.index + end[0].length
    if (size === 0) break
    at += size
    at += /^(?:\r\n|\r|\n)/.exec(body.slice(at))?.[0].length ?? 0
  }
  for (let rest = body.slice(at); ; rest = body.slice(at)) {
    const end = LINE_END.exec(rest)
    if (end === null) return body.length
    at += end.index + end[0].length
    if (end.index === 0) return at
  }
}
