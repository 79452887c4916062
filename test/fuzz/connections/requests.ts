import type { Random } from '../random.ts'

/** An assertion that stands for one user of this campaign alone. */
export interface Pass {
  readonly sub: string
  readonly jti: string
  readonly assertion: string
}

/** The assertions of one case: good ones, and some that are refused. */
export interface Passes {
  readonly good: readonly [Pass, ...Pass[]]
  readonly bad: readonly [string, ...string[]]
}

/** Requests on one connection, before anything is changed: Latin-1 text. */
export function createPipeline(random: Random, passes: Passes): string[] {
  const length = random.weighted([
    [50, 1],
    [32, 2],
    [13, 3],
    [5, passes.good.length],
  ])
  return Array.from({ length }, (_, i) => {
    const pass = passes.good[i % passes.good.length]?.assertion ?? ''
    return createRequest(
      random,
      random.weighted<string | undefined>([
        [55, pass],
        [15, random.pick(passes.bad)],
        [30, undefined],
      ]),
      passes,
    )
  })
}

function createRequest(random: Random, assertion: string | undefined, passes: Passes): string {
  const [method, frame] = random.weighted<[string, (body: string) => [string[], string]]>([
    [45, ['GET', () => [[], '']]],
    [5, ['HEAD', () => [[], '']]],
    [5, ['OPTIONS', () => [[], '']]],
    [4, ['GET', handshake]],
    [6, ['POST', (body) => besideUpgrade(withLength(body))]],
    [6, ['PUT', (body) => besideUpgrade(inChunks(random, body))]],
    [20, ['POST', withLength]],
    [15, ['PUT', (body) => inChunks(random, body)]],
    [3, ['POST', (body) => [['Expect: 100-continue', ...withLength(body)[0]], body]]],
    [3, ['GET', withLength]],
  ])
  const [framing, body] = frame(createBody(random, passes))
  const lines = [
    'Host: app.example.com',
    ...(assertion === undefined ? [] : [`X-Pomerium-Jwt-Assertion: ${assertion}`]),
    ...framing,
    ...(random.chance(40) ? [random.pick(EXTRAS)] : []),
  ]
  if (random.chance(15)) lines.reverse()
  const target = `/m${random.text(8, 'abcdefghijklmnop')}${random.chance(20) ? '?q=1' : ''}`
  return `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

const EXTRAS = [
  'X-Pomerium-Claim-Sub: mallory',
  'x_pomerium_claim_sub: mallory',
  'X.Pomerium.Claim.Sub: mallory',
  'Connection: X-Pomerium-Claim-Sub, X-Pomerium-Jwt-Assertion, Content-Length, Host',
  'Connection: close',
  'Connection: keep-alive, Upgrade',
  'Upgrade: h2c',
  'TE: trailers',
  'Trailer: X-Pomerium-Claim-Sub',
  'Keep-Alive: timeout=5',
  'X-Latin: caf\xe9 \x80\xff',
  `X-Long: ${'l'.repeat(300)}`,
  'X-Empty:',
  'Content-Type: text/plain',
] as const

const HIDDEN = 'GET /smuggled HTTP/1.1\r\nHost: app.example.com\r\n'

/** Bodies that would be requests to whoever loses count of the bytes. */
function createBody(random: Random, { good }: Passes): string {
  const pass = `X-Pomerium-Jwt-Assertion: ${random.pick(good).assertion}\r\n`
  return random.weighted<() => string>([
    [12, () => 'body'],
    [12, () => ''],
    [34, () => `${HIDDEN}${pass}\r\n`],
    [12, () => `${HIDDEN}X-Pomerium-Claim-Sub: mallory\r\n\r\n`],
    [12, () => `0\r\n\r\n${HIDDEN}${pass}\r\n`],
    [6, () => `\r\n\r\n${HIDDEN}${pass}\r\n`],
    [12, () => random.bytes(random.int(64)).toString('latin1')],
  ])()
}

const handshake = (): [string[], string] => [
  [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
  ],
  '',
]

/** An upgrade that is not taken up: Node's parser reads the frame of such a request in a way of its own. */
const besideUpgrade = ([lines, body]: [string[], string]): [string[], string] => [
  ['Connection: Upgrade', 'Upgrade: h2c', ...lines],
  body,
]

const withLength = (body: string): [string[], string] => [[`Content-Length: ${body.length}`], body]

function inChunks(random: Random, body: string): [string[], string] {
  let text = ''
  for (let at = 0; at < body.length; ) {
    const size = 1 + random.int(Math.min(60, body.length - at))
    const extension = random.chance(10) ? ';a="b"' : ''
    text += `${size.toString(16)}${extension}\r\n${body.slice(at, at + size)}\r\n`
    at += size
  }
  const trailers = random.chance(15) ? 'X-Pomerium-Claim-Sub: mallory\r\n' : ''
  return [['Transfer-Encoding: chunked'], `${text}0\r\n${trailers}\r\n`]
}
