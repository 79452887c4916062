import t from 'tap'
import type { Verified } from '../src/assertion/verify.ts'
import { KnownUserError } from '../src/decision.ts'
import { CODES, type Code, RejectedError } from '../src/errors.ts'
import { createReportOnly } from '../src/report-only.ts'
import { fieldsOf, openBlackBox } from './helpers/black-box.ts'
import { requestBytes } from './helpers/claimgate.ts'

const HEAD = { method: 'GET', target: '/', httpVersion: '1.1', rawHeaders: ['Host', 'a'] }
const STILL_REFUSED: readonly Code[] = [
  'ERR_REQUEST_MALFORMED',
  'ERR_UPSTREAM_UNAVAILABLE',
  'ERR_UPSTREAM_TIMEOUT',
  'ERR_OVERLOADED',
  'ERR_DRAINING',
]

for (const code of Object.keys(CODES) as Code[])
  t.test(
    `${code} ${STILL_REFUSED.includes(code) ? 'stays a refusal' : 'is forwarded'}`,
    async (t) => {
      const refusal = new RejectedError(code, { reason: 'why' })
      const decide = createReportOnly(() => Promise.reject(refusal))
      if (STILL_REFUSED.includes(code)) return t.rejects(decide(HEAD), refusal)
      return t.strictSame(await decide(HEAD), {
        lines: [],
        verified: undefined,
        dropped: 0,
        wouldRefuse: refusal,
      })
    },
  )

t.test('a decision to forward is as it was, and a fault of ours stays one', async (t) => {
  const decision = { lines: ['X-User', 'ann'], verified: undefined, dropped: 1 }
  t.equal(await createReportOnly(async () => decision)(HEAD), decision)
  await t.rejects(createReportOnly(() => Promise.reject(new TypeError('a fault')))(HEAD), TypeError)
})

t.test('whoever is known is named, but not to the app', async (t) => {
  const verified: Verified = { claims: { sub: 'u' }, alg: 'ES256', kid: 'k', anonymous: false }
  const refusal = new KnownUserError(new RejectedError('ERR_POLICY_DENIED'), verified)
  const { lines, verified: named } = await createReportOnly(() => Promise.reject(refusal))(HEAD)
  t.strictSame(lines, [])
  t.equal(named, verified)
})

const FORGED = [
  'X-Pomerium-Claim-Email: root@example.com',
  'X_Pomerium_Claim_Email: root@example.com',
  'Remote-User: root',
]
const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]
const REPORT_ONLY = { reportOnly: 'unsafe', reservedHeaders: ['remote-user'] } as const

for (const [kind, more] of [
  ['a request', []],
  ['a handshake', UPGRADE],
] as const)
  t.test(`${kind} without a good assertion is forwarded, logged and counted`, async (t) => {
    const { claimgate, send } = await openBlackBox(t, { ...REPORT_ONLY, forwardAssertion: true })
    const expired = claimgate.assertion({ exp: 1_700_000_000, email: 'root@example.com' })
    const tampered = `${claimgate.assertion().slice(0, -4)}AAAA`
    const rows = [
      ['ERR_ASSERTION_MISSING', undefined],
      ['ERR_ASSERTION_EXPIRED', expired],
      ['ERR_ASSERTION_SIGNATURE', tampered],
      ['ERR_ASSERTION_MALFORMED', 'no.jws'],
    ] as const
    for (const [code, assertion] of rows) {
      const lines = ['X-Kept: yes', ...FORGED, ...more]
      const { status, upstream } = await send(requestBytes(assertion, { lines }))
      t.equal(status, more.length > 0 ? 101 : 200, code)
      const names = [...fieldsOf(upstream).keys()]
      t.ok(names.includes('x-kept'), 'the rest of it arrives')
      t.strictSame(
        names.filter((name) => /pomerium|remote/.test(name)),
        [],
        'and no identity',
      )
      t.notMatch(upstream, /root/)
      const line = await logged(claimgate.logLines, code)
      t.match(line, { decision: 'forward', would_refuse: code, status, path: '/t' })
      t.notOk('code' in line || 'sub' in line || 'email' in line)
    }
    const metrics = await (await fetch(`http://127.0.0.1:${claimgate.adminPort}/metrics`)).text()
    for (const [code] of rows) t.match(metrics, `claimgate_report_only_total{code="${code}"} 1`)
    t.notMatch(metrics, /claimgate_rejections_total\{/)
  })

/** The line of a request is written when its connection has closed. */
async function logged(lines: () => Record<string, unknown>[], code: string) {
  const deadline = Date.now() + 5_000
  for (;;) {
    const line = lines().find((each) => each['would_refuse'] === code)
    if (line !== undefined) return line
    if (Date.now() > deadline) throw new Error(`no line for ${code}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

t.test('a good assertion is enforced as ever: identity headers, no would_refuse', async (t) => {
  const { claimgate, send } = await openBlackBox(t, REPORT_ONLY)
  const { upstream } = await send(requestBytes(claimgate.assertion(), { lines: FORGED }))
  t.strictSame(fieldsOf(upstream).get('x-pomerium-claim-email'), ['ann@example.com'])
  const lines = claimgate.logLines().filter(({ msg }) => msg === 'request')
  t.notOk(lines.some((line) => 'would_refuse' in line))
})

t.test('a denied user is forwarded without identity, and the log knows who it was', async (t) => {
  const { claimgate, send } = await openBlackBox(t, { ...REPORT_ONLY, allow: [] })
  const { status, upstream } = await send(requestBytes(claimgate.assertion()))
  t.equal(status, 200)
  t.notMatch(upstream, /ann@example|user-1/)
  t.match(await logged(claimgate.logLines, 'ERR_POLICY_DENIED'), {
    would_refuse_reason: 'no entry of allow matches',
    sub: 'user-1',
    email: 'ann@example.com',
    kid: claimgate.key.kid,
  })
})

t.test('malformed HTTP is still refused, and nothing of it arrives', async (t) => {
  const { claimgate, send } = await openBlackBox(t, REPORT_ONLY)
  const twoHosts = requestBytes(claimgate.assertion(), { lines: ['Host: other'] })
  for (const bytes of [twoHosts, 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 'NO HTTP\r\n\r\n']) {
    const { status, upstream } = await send(bytes)
    t.equal(status, 400)
    t.equal(upstream, '')
  }
  t.notMatch(JSON.stringify(claimgate.logLines()), /would_refuse/)
})

t.test('the status page shows no identity where none was verified', async (t) => {
  const { send } = await openBlackBox(t, REPORT_ONLY)
  const line = 'GET /.claimgate HTTP/1.1'
  const { status, answer, upstream } = await send(requestBytes('a.b.c', { line, lines: FORGED }))
  t.equal(status, 200)
  t.match(answer, '"verified":false')
  t.notMatch(answer, /root/)
  t.equal(upstream, '')
})
