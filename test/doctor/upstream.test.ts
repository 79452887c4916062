import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/config.ts'
import { findingLine } from '../../src/doctor/finding.ts'
import { examineUpstream } from '../../src/doctor/upstream.ts'
import { createAuthority } from '../helpers/certificates.ts'

const authority = createAuthority('House CA')
const NO_TLS = {
  caFile: undefined,
  serverName: undefined,
  clientCertFile: undefined,
  clientKeyFile: undefined,
}

async function look(
  upstream: Config['upstream'],
  ownAddresses: string[] = [],
  upstreamTls: Config['upstreamTls'] = NO_TLS,
) {
  return (await examineUpstream({ upstream, upstreamTls }, ownAddresses)).map(findingLine)
}

async function listen(t: Test, server: Server, where: object): Promise<number> {
  server.on('connection', (socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => server.listen(where, resolve))
  t.teardown(() => server.close())
  return (server.address() as { port?: number }).port ?? 0
}

const at = (port: number, hostname = '127.0.0.1') =>
  ({ protocol: 'http:', hostname, port }) as const

t.test('an app on loopback alone is well', async (t) => {
  const port = await listen(t, createServer(), { port: 0, host: '127.0.0.1' })
  t.strictSame(await look(at(port), ['127.0.0.2']), [
    `✓ upstream  127.0.0.1:${port} takes connections\n`,
    '✓ upstream  it answers on loopback alone\n',
  ])
})

t.test('without an upstream nothing is dialled', async (t) => {
  t.strictSame(await look(undefined), [
    '✓ upstream  none: with mode: forward-auth nothing is forwarded\n',
  ])
})

t.test('an app that does not answer is not said to answer on loopback alone', async (t) => {
  t.match(await look(at(1), ['127.0.0.2']), [/^✗ upstream {2}127\.0\.0\.1:1 cannot be reached/])
  t.equal((await look(at(1), ['127.0.0.2'])).length, 1)
})

t.test('an app that others can reach as well is warned of, with the way to close it', async (t) => {
  const port = await listen(t, createServer(), { port: 0, host: '0.0.0.0' })
  const lines = await look(at(port), ['127.0.0.2'])
  t.match(
    lines[1],
    /^! upstream {2}it answers at 127\.0\.0\.2, too: .* → bind the app to 127\.0\.0\.1/,
  )
})

t.test('an app on the network is warned of, reachable or not', async (t) => {
  const lines = await look(at(1, '0.0.0.0'))
  t.match(lines[0], /^✗ upstream {2}0\.0\.0\.0:1 cannot be reached \(ECONNREFUSED\) → upstream,/)
  t.match(lines[1], /^! upstream {2}it is on the network \(0\.0\.0\.0\): .* → bind the app/)
})

t.test('a name that leads nowhere is told', async (t) => {
  t.match(await look(at(80, 'nowhere.invalid')), [
    /^✗ upstream {2}the name nowhere\.invalid cannot be resolved \(E\w+\) → upstream\n$/,
  ])
})

t.test('a Unix socket is nobody else to reach', async (t) => {
  const path = join(tmpdir(), `claimgate-doctor-${process.pid}.sock`)
  const upstream = { protocol: 'unix:', path } as const
  t.match(await look(upstream), [/^✗ upstream {2}the Unix socket cannot be opened \(ENOENT\)/])
  await listen(t, createServer(), { path })
  t.match(await look(upstream), [/^✓ upstream {2}the Unix socket takes connections/])
})

t.test('the certificate of an https upstream is judged', async (t) => {
  const server = createTlsServer(authority.issue({ names: ['app.internal'] }))
  server.on('tlsClientError', () => undefined)
  const port = await listen(t, server, { port: 0, host: '127.0.0.1' })
  const upstream = { ...at(port), protocol: 'https:' } as const
  const caFile = join(t.testdir(), 'ca.pem')
  writeFileSync(caFile, authority.cert)
  const second = async (tls: object) => (await look(upstream, [], { ...NO_TLS, ...tls }))[1]
  t.match(await second({}), /^✗ .*signed by House CA, .* → upstream_ca_file,/)
  t.match(
    await second({ caFile }),
    /^✗ .*is for DNS:app\.internal, not for 127.* → upstream_server_name,/,
  )
  t.match(await second({ caFile, serverName: 'app.internal' }), /^✓ .*good for app\.internal/)
  t.match(await second({ caFile: '/nowhere' }), /^✗ .* → upstream_ca_file\n$/)
})
