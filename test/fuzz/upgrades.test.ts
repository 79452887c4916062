import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import t from 'tap'
import type { OpenGate } from './connections/gates.ts'
import { changing, rewriting } from './connections/planted.ts'
import { drive } from './drive.ts'
import { upgrades } from './upgrades.ts'

const SEED = 20_260_731

t.test('handshakes at every moment leave nothing behind and let nothing through', async (t) => {
  const { cases, findings, tally } = await drive(upgrades(), { seed: SEED, limit: 500 })
  t.equal(cases, 500)
  t.same(findings, [])
  for (const outcome of ['101', '400', '401', '403', '502'])
    t.ok((tally.get(outcome) ?? 0) > 0, `${outcome} is among the outcomes`)
})

/** A relay that decides nothing. */
const openRelay: OpenGate = async ({ upstreamPort }) => {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect(upstreamPort, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.pipe(to)
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    takeDecisions: () => [],
    takeFaults: () => [],
    logged: () => 0,
    inFlight: async () => 0,
    async close() {
      server.close()
    },
  }
}

const PLANTED: readonly [name: string, found: RegExp, open: OpenGate][] = [
  ['nothing is decided', /a refused handshake reached the upstream/, openRelay],
  [
    'a byte behind the head',
    /bytes behind the handshake came before the answer/,
    rewriting((text) => text.replace(/\r\n\r\n$/, '\r\n\r\nx')),
  ],
  [
    'no identity',
    /not its identity/,
    rewriting((text) => text.replace(/X-Pomerium-Claim-Sub: [^\r]*\r\n/, '')),
  ],
  [
    'the assertion is passed on',
    /the assertion is passed on/,
    rewriting((text) => text.replace('\r\n', '\r\nX-Pomerium-Jwt-Assertion: a.b.c\r\n')),
  ],
  [
    'bytes of the tunnel are changed',
    /other bytes than were sent/,
    rewriting((text) => text.replace('/smuggled/', '/other/'), /^(GET \/smuggled|[A-Z]+ \/ws)/),
  ],
  ['a handshake is sent twice', /before the answer|twice/, rewriting((text) => text + text)],
  ['something never ends', /not at rest/, changing(() => ({ inFlight: async () => 1 }))],
]

for (const [name, found, open] of PLANTED)
  t.test(`finds a planted fault: ${name}`, async (t) => {
    const { findings } = await drive(upgrades(open, 1_000), { seed: SEED, limit: 200 })
    t.ok(
      findings.some(({ what }) => found.test(what)),
      findings[0]?.what ?? 'nothing was found',
    )
  })
