import { headerLines, type RawHeaders } from './request-headers.ts'

/** What the sample app shows of one request. */
export interface Received {
  readonly method: string
  readonly path: string
  /** The headers that tell an app who the user is, or that a forger would hope it believes. */
  readonly identity: Readonly<Record<string, string>>
  /** All headers, names as they came; a name that came twice holds both values, joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
}

/** Names apps take a user from, after folding: an app on WSGI or CGI cannot tell `_` from `-`. */
const IDENTITY = /^x[-_](?:pomerium|webauth)[-_]/i

export const received = (request: {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly rawHeaders: RawHeaders
}): Received => {
  const lines = headerLines(request.rawHeaders).map(([name, value]) => [name, text(value)] as const)
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    identity: joined(lines.filter(([name]) => IDENTITY.test(name))),
    headers: joined(lines),
  }
}

/** node:http reads header bytes as Latin-1; names of people are UTF-8. */
const text = (value: string): string => Buffer.from(value, 'latin1').toString('utf8')

const joined = (lines: readonly (readonly [string, string])[]): Record<string, string> => {
  const headers = new Map<string, string>()
  for (const [name, value] of lines) {
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return Object.fromEntries(headers)
}
