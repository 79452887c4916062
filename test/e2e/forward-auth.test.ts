import t, { type Test } from 'tap'
import type { Config } from '../../src/config/config.ts'
import { bytesOf, FILE, faultsOf, identityHeadersOf, type Spoofs } from '../corpus/header-spoof.ts'
import { boxOf, fieldsOf, openRecorder } from '../helpers/black-box.ts'
import { header, requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { readCorpus } from '../helpers/corpus.ts'
import { codeOf } from '../helpers/raw-client.ts'
import { FRONTS, type Front } from './fronts.ts'

const USER = header('X-WEBAUTH-USER', 'email')
const HEADERS = [USER, header('X-WEBAUTH-NAME', 'name')]

/** A raw client, the real proxy with the text of the guide, claimgate beside it, an app that records every byte. */
async function open(t: Test, front: Front, changes: Partial<Config> = {}) {
  const app = await openRecorder(t)
  const settings = { upstream: undefined, statusPath: undefined, identityHeaders: HEADERS }
  const claimgate = await startClaimgate(t, 9, { ...settings, ...changes })
  const names = (changes.identityHeaders ?? HEADERS).map((each) => each.header)
  const headers = names.filter((name) => name !== 'X-WEBAUTH-USER')
  const ports = { claimgate: claimgate.port, app: app.port, headers }
  return boxOf(claimgate, app, await front.start(t, ports))
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1')

interface Malformed {
  readonly line?: string
  readonly lines?: readonly string[]
}

/** What these proxies neither mend nor refuse by themselves. */
const malformedFor = ({ name }: Front): Malformed =>
  name.endsWith('nginx') ? { line: 'GET /a\\b HTTP/1.1' } : { lines: ['X_Original_URI: /b'] }

const passing = (name: string) => [
  `plain/${name}: ${name} passes`,
  `plain/${name}: ${name} is not ours`,
]

/** Deviations from the corpus that docs/forward-auth.md tells. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  nginx: [
    ...passing('x-pomerium-anything'),
    ...passing('x-pomerium-'),
    ...passing('x-pomerium-reproxy-policy'),
    ...passing('x-pomerium-intercepted-response'),
    ...passing('x-pomerium-claim-admin'),
    'malformed/lf: forwarded with 200',
    'malformed/nbsp: forwarded with 200',
  ],
  'strict nginx': [],
  Caddy: ['malformed/obs-fold: forwarded with 200', 'malformed/lf: forwarded with 200'],
  'strict Caddy': ['malformed/obs-fold: forwarded with 200'],
}

for (const front of FRONTS) {
  const skip = front.skip()

  t.test(
    `${front.name}: the verified identity arrives, and nothing else of it`,
    { skip },
    async (t) => {
      const box = await open(t, front)
      const name = 'Ana Kovač {header.Host} $host'
      const { status, upstream } = await box.send(
        requestBytes(box.claimgate.assertion({ email: 'ana@example.com', name }), {
          line: 'POST /a/%2e/b?q=%2F HTTP/1.1',
          lines: ['Content-Length: 3'],
          body: 'abc',
        }),
      )
      t.equal(status, 200)
      t.match(upstream, /^POST \/a\/%2e\/b\?q=%2F HTTP\/1\.1\r\n/)
      t.match(upstream, /\r\n\r\nabc$/)
      const fields = fieldsOf(upstream)
      t.strictSame(fields.get('x-webauth-user'), ['ana@example.com'])
      t.strictSame(fields.get('x-webauth-name'), [latin1(name)])
      t.strictSame(fields.get('host'), ['app.example.com'])
      t.notMatch(upstream, 'eyJ', 'no assertion')
    },
  )

  t.test(`${front.name}: an absent claim leaves no room for a client's`, { skip }, async (t) => {
    const box = await open(t, front)
    const lines = ['X-WEBAUTH-NAME: mallory', 'x-webauth-name: mallory']
    const token = box.claimgate.assertion({ name: undefined })
    const { status, upstream } = await box.send(requestBytes(token, { lines }))
    t.notMatch(upstream, 'mallory')
    if (front.isStrict) {
      t.equal(status, 400)
      t.equal(upstream, '', 'nothing is forwarded')
      return
    }
    t.equal(status, 200)
    t.same(fieldsOf(upstream).get('x-webauth-name') ?? [''], [''], 'absent or empty')
  })

  t.test(`${front.name}: the fields of apps and WebSockets arrive`, { skip }, async (t) => {
    const box = await open(t, front)
    const lines = [
      ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
      ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol: chat'],
      ...['Origin: https://app.example.com', 'Cookie: a=1; b=2', 'Authorization: Basic eDp5'],
    ]
    const { status, upstream } = await box.send(requestBytes(box.claimgate.assertion(), { lines }))
    t.equal(status, 101)
    for (const line of lines) {
      const [name = '', value = ''] = line.split(': ')
      const sent = fieldsOf(upstream).get(name.toLowerCase()) ?? []
      t.strictSame(
        sent.map((each) => each.toLowerCase()),
        [value.toLowerCase()],
        name,
      )
    }
  })

  t.test(`${front.name}: no other upgrade and no session of Pomerium's`, { skip }, async (t) => {
    const box = await open(t, front)
    const lines = [
      ...['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'],
      'Authorization: bearer  Pomerium-abc',
    ]
    const { status, upstream } = await box.send(requestBytes(box.claimgate.assertion(), { lines }))
    t.equal(status, 200)
    const fields = fieldsOf(upstream)
    t.notOk(fields.has('upgrade'))
    t.notMatch(fields.get('connection')?.join(), /upgrade/i)
    t.notOk(fields.has('authorization'))
  })

  t.test(`${front.name}: another spelling does not take a field's place`, { skip }, async (t) => {
    const box = await open(t, front)
    const lines = ['X_Forwarded_Host: mallory', 'X-Forwarded-Host: app.example.com']
    const { upstream } = await box.send(requestBytes(box.claimgate.assertion(), { lines }))
    t.notMatch(upstream, 'mallory')
  })

  t.test(`${front.name}: refusals arrive with status, code and challenge`, { skip }, async (t) => {
    const allow = [{ paths: ['/ok', '/ok/*'], methods: ['GET'], claims: [] }]
    const box = await open(t, front, { allow, publicPaths: ['/public'] })
    const ask = async (line: string, token?: string, lines: readonly string[] = []) => {
      const { status, answer, upstream } = await box.send(requestBytes(token, { line, lines }))
      if (status !== 200) t.equal(upstream, '', `${line}: nothing is forwarded`)
      return [status, codeOf(answer), fieldsOf(answer).get('www-authenticate')?.[0]]
    }
    const token = box.claimgate.assertion()
    const missing = [401, 'ERR_ASSERTION_MISSING', 'Bearer realm="claimgate"']
    const denied = [403, 'ERR_POLICY_DENIED', undefined]
    t.strictSame(await ask('GET /ok HTTP/1.1'), missing)
    t.strictSame(await ask('GET /ok HTTP/1.1', token), [200, undefined, undefined])
    t.strictSame(await ask('POST /ok HTTP/1.1', token), denied)
    t.strictSame(await ask('GET /other HTTP/1.1', token), denied)
    t.strictSame(await ask('GET /ok/../other HTTP/1.1', token), denied)
    t.strictSame(await ask('GET /public HTTP/1.1'), [200, undefined, undefined])
    t.strictSame(await ask('GET /ok HTTP/1.1', 'a.b.c'), [
      401,
      'ERR_ASSERTION_MALFORMED',
      'Bearer realm="claimgate", error="invalid_token", error_description="ERR_ASSERTION_MALFORMED"',
    ])
    for (const family of ['Original', 'Forwarded']) {
      const forged = [`X-${family}-Method: GET`, `X-${family}-URI: /public`]
      t.strictSame(await ask('GET /ok HTTP/1.1', undefined, forged), missing, family)
      t.equal((await ask('GET /other HTTP/1.1', token, forged))[0], 403, family)
    }
  })

  t.test(`${front.name}: malformed requests are told as such`, { skip }, async (t) => {
    const box = await open(t, front)
    const { line = 'GET /t HTTP/1.1', lines = [] } = malformedFor(front)
    const bytes = requestBytes(box.claimgate.assertion(), { line, lines })
    const { status, answer, upstream } = await box.send(bytes)
    t.equal(status, 400)
    t.equal(codeOf(answer), 'ERR_REQUEST_MALFORMED')
    t.equal(upstream, '')
  })

  t.test(`${front.name}: ${FILE}`, { skip }, async (t) => {
    const { cases, sut_config: sut } = readCorpus<Spoofs>(FILE)
    const box = await open(t, front, { identityHeaders: identityHeadersOf(sut) })
    const deviations: string[] = []
    for (const recipe of cases) {
      const outcome = await box.send(bytesOf(recipe, sut, box))
      for (const fault of faultsOf(recipe, sut, outcome)) deviations.push(`${recipe.id}: ${fault}`)
      if (!(await box.isWell())) deviations.push(`${recipe.id}: not well after it`)
    }
    t.comment(`${front.name}: ${FILE}: ${cases.length} ran, ${deviations.length} deviations`)
    t.strictSame(deviations, KNOWN[front.name])
  })
}
