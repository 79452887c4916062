// What a parser that follows RFC 9112 to the letter finds in recorded bytes. It is written apart from the product, since
// it judges what the product put on the wire. Text is Latin-1: one character per byte.

export interface Message {
  readonly startLine: string
  /** Name, value, name, value, … as sent. */
  readonly fields: readonly string[]
  /** Without its framing. */
  readonly body: string
  readonly framing: 'none' | 'length' | 'chunked'
}

export interface Reading {
  readonly messages: readonly Message[]
  /** Offset behind the last whole message; what follows is the beginning of another. */
  readonly end: number
  /** The first byte sequence that is not HTTP, or allows two readings. */
  readonly fault?: string
}

class Fault extends Error {}
const INCOMPLETE = Symbol('incomplete')

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/
const REQUEST_LINE = /^[A-Z-]+ \/[\x21-\x7e\x80-\xff]* HTTP\/1\.1$/
const STATUS_LINE = /^HTTP\/1\.1 \d{3} [\t\x20-\x7e\x80-\xff]*$/

export const readRequests = (text: string, from = 0): Reading =>
  read(text, from, REQUEST_LINE, () => true)

/** `methods` of the requests that are answered here, in order: an answer to HEAD has no body. */
export function readAnswers(text: string, methods: readonly string[] = []): Reading {
  let answered = 0
  return read(text, 0, STATUS_LINE, ({ startLine }) => {
    const status = Number(startLine.slice(9, 12))
    if (status < 200 && status !== 101) return false
    const method = methods[answered++]
    return method !== 'HEAD' && status !== 101 && status !== 204 && status !== 304
  })
}

type Head = Pick<Message, 'startLine' | 'fields'>

function read(
  text: string,
  from: number,
  startLine: RegExp,
  mayHaveBody: (head: Head) => boolean,
): Reading {
  const messages: Message[] = []
  let at = from
  try {
    while (at < text.length) {
      const end = text.indexOf('\r\n\r\n', at)
      if (end === -1) break
      const head = readHead(text.slice(at, end), startLine)
      const body = mayHaveBody(head) ? readBody(head, text, end + 4) : noBody(end + 4)
      if (body === INCOMPLETE) break
      messages.push({ ...head, body: body.body, framing: body.framing })
      at = body.end
    }
    return { messages, end: at }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { messages, end: at, fault: error.message }
  }
}

function readHead(text: string, wanted: RegExp): Head {
  const [startLine = '', ...lines] = text.split('\r\n')
  if (!wanted.test(startLine)) throw new Fault(`start line ${JSON.stringify(startLine)}`)
  const fields: string[] = []
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Fault(`field ${JSON.stringify(line)}`)
    fields.push(name, value)
  }
  if (wanted === REQUEST_LINE && valuesOf(fields, 'host').length !== 1)
    throw new Fault('not one Host')
  return { startLine, fields }
}

export function valuesOf(fields: readonly string[], name: string): string[] {
  return fields.filter((_, i) => i % 2 === 1 && fields[i - 1]?.toLowerCase() === name)
}

type Body = { body: string; framing: Message['framing']; end: number }

const noBody = (end: number): Body => ({ body: '', framing: 'none', end })

function readBody({ fields }: Head, text: string, start: number): Body | typeof INCOMPLETE {
  const codings = valuesOf(fields, 'transfer-encoding')
  const lengths = valuesOf(fields, 'content-length')
  if (codings.length + lengths.length > 1) throw new Fault('more than one framing field')
  if (codings.length === 1) {
    if (codings[0]?.toLowerCase() !== 'chunked') throw new Fault(`coding ${codings[0]}`)
    return readChunks(text, start)
  }
  if (lengths.length === 0) return noBody(start)
  if (!/^\d{1,15}$/.test(lengths[0] ?? '')) throw new Fault(`length ${lengths[0]}`)
  const end = start + Number(lengths[0])
  if (end > text.length) return INCOMPLETE
  return { body: text.slice(start, end), framing: 'length', end }
}

/** Trailers are a fault: none may reach an upstream. */
function readChunks(text: string, start: number): Body | typeof INCOMPLETE {
  let body = ''
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return INCOMPLETE
    const line = text.slice(at, lineEnd)
    if (!/^[0-9A-Fa-f]{1,12}(?:;[\t\x20-\x7e\x80-\xff]*)?$/.test(line))
      throw new Fault(`chunk size ${JSON.stringify(line)}`)
    const size = Number.parseInt(line, 16)
    const dataEnd = lineEnd + 2 + size
    if (text.length < dataEnd + 2) return INCOMPLETE
    if (text.slice(dataEnd, dataEnd + 2) !== '\r\n') throw new Fault('no line end behind a chunk')
    body += text.slice(lineEnd + 2, dataEnd)
    at = dataEnd + 2
    if (size === 0) return { body, framing: 'chunked', end: at }
  }
}
