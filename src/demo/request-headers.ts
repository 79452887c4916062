/** Raw header lines as node:http gives and takes them: name, value, name, value. */
export type RawHeaders = readonly string[]

export const ASSERTION_HEADER = 'X-Pomerium-Jwt-Assertion'
export const DEMO_COOKIE = 'demo_user'

/** What belongs to one connection and is never passed on (RFC 9110, 7.6.1). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade']

export const headerLines = (raw: RawHeaders): readonly (readonly [string, string])[] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []))

/** The lines without hop-by-hop fields, and without those whose lower-case name is in `also`. */
export const withoutHopByHop = (raw: RawHeaders, also: readonly string[] = []): string[] => {
  const lines = headerLines(raw)
  const named = lines
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((token) => token.trim())
  const dropped = new Set([...HOP_BY_HOP, ...named, ...also])
  return lines.filter(([name]) => !dropped.has(name.toLowerCase())).flat()
}

/**
 * The header lines the stand-in sends on, in the client's order with its own additions last.
 *
 * Does what Pomerium does and no more: its own assertion replaces a client's, which moves to `…-For`; its own
 * cookie goes; every other header of the client stays, forged `X-Pomerium-*` and underscore spellings included
 * (Pomerium before v0.33 passes those as well). That is what claimgate is there to remove.
 */
export const forwardedHeaders = (
  raw: RawHeaders,
  request: { readonly assertion: string; readonly clientAddress: string },
): string[] => {
  const kept = withoutHopByHop(raw, ['expect', 'cookie', ASSERTION_HEADER.toLowerCase()])
  return [
    ...kept,
    ...otherCookies(raw),
    ...carriedOverAssertion(raw),
    ...['X-Forwarded-For', request.clientAddress, 'X-Forwarded-Proto', 'http'],
    ...[ASSERTION_HEADER, request.assertion],
  ]
}

/** The value of the stand-in's own cookie; `undefined` when nobody signed in. */
export const demoCookie = (raw: RawHeaders): string | undefined =>
  cookies(raw)
    .find((pair) => pair.startsWith(`${DEMO_COOKIE}=`))
    ?.slice(DEMO_COOKIE.length + 1)

const otherCookies = (raw: RawHeaders): string[] => {
  const others = cookies(raw).filter((pair) => !pair.startsWith(`${DEMO_COOKIE}=`))
  return others.length === 0 ? [] : ['Cookie', others.join('; ')]
}

const cookies = (raw: RawHeaders): readonly string[] =>
  valuesOf(raw, 'cookie')
    .flatMap((value) => value.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')

const carriedOverAssertion = (raw: RawHeaders): string[] => {
  const target = `${ASSERTION_HEADER}-For`
  const [assertion] = valuesOf(raw, ASSERTION_HEADER)
  if (assertion === undefined || valuesOf(raw, target).length > 0) return []
  return [target, assertion]
}

const valuesOf = (raw: RawHeaders, wanted: string): readonly string[] =>
  headerLines(raw)
    .filter(([name]) => name.toLowerCase() === wanted.toLowerCase())
    .map(([, value]) => value)
