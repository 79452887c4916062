import t from 'tap'
import { type OpenGate, openProgram } from './connections/gates.ts'
import { changing, rewriting } from './connections/planted.ts'
import { connections } from './connections.ts'
import { drive } from './drive.ts'

const SEED = 20_260_731

t.test('of changed bytes nothing reaches the upstream that was not decided', async (t) => {
  const { cases, findings, tally } = await drive(connections(), { seed: SEED, limit: 600 })
  t.equal(cases, 600)
  t.same(findings, [])
  for (const outcome of ['forwarded', '200', '400', '401', '505'])
    t.ok((tally.get(outcome) ?? 0) > 0, `${outcome} is among the outcomes`)
})

t.test('nor through the built program', async (t) => {
  const fuzzer = connections('program', openProgram)
  const { findings, tally } = await drive(fuzzer, { seed: SEED, limit: 200 })
  t.same(findings, [])
  t.ok((tally.get('200') ?? 0) > 0)
})

const PLANTED: readonly [name: string, found: RegExp, open: OpenGate][] = [
  [
    'the upstream is told a wrong length, so that a body becomes a request',
    /GET \/smuggled|request line|nobody/,
    rewriting((text) => text.replace(/transfer-encoding: chunked/i, 'content-length: 3')),
  ],
  [
    'a line feed inside a field, where a careless reader sees another field',
    /field line/,
    rewriting((text) => text.replace(/\r\nhost: /i, '\r\nX-A: b\nX-B: c\r\nHost: ')),
  ],
  [
    "a client's identity header in another spelling",
    /an identity header twice/,
    rewriting((text) => text.replace('\r\n', '\r\nx_pomerium_claim_sub: mallory\r\n')),
  ],
  [
    'the identity of somebody else',
    /for user-x|not what was sent/,
    rewriting((text) => text.replace(/Claim-Sub: user-\d+/, 'Claim-Sub: user-x')),
  ],
  ['another target', /not what was sent/, rewriting((text) => text.replace('/m', '/../m'))],
  [
    'a request that is sent twice',
    /without a decision|not what was sent/,
    rewriting((text) => (text.startsWith('GET') ? text + text : text)),
  ],
  [
    'a request without a decision',
    /without a decision/,
    changing(() => ({ takeDecisions: () => [] })),
  ],
  [
    'an internal error in the log',
    /internal error/,
    changing(() => ({ takeFaults: () => ['{"level":50,"msg":"internal error"}'] })),
  ],
]

for (const [name, found, open] of PLANTED)
  t.test(`finds a planted fault: ${name}`, async (t) => {
    const fuzzer = connections('connections', open)
    const { findings } = await drive(fuzzer, { seed: SEED, limit: 300 })
    t.ok(
      findings.some(({ what }) => found.test(what)),
      findings[0]?.what ?? 'nothing was found',
    )
  })
