import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { AUDIT_FIELDS, type Config, type IdentityHeader } from '../../src/config/config.ts'
import { createLog } from '../../src/log.ts'
import { type Claimgate, createClaimgate } from '../../src/server.ts'
import { createKey, publicJwk, type SigningKey } from './keys.ts'
import { HOST, type Members, mint, NOW_MS } from './mint.ts'
import { noteDataPort, tlsOfThisRun } from './transport.ts'

/** claimgate in this process on loopback, with keys of the test and the clock of {@link NOW_MS}. */
export interface RunningClaimgate {
  readonly port: number
  readonly adminPort: number
  readonly key: SigningKey
  readonly config: Config
  /** A fresh good assertion, with these claims laid over the usual ones. */
  assertion(claims?: Members): string
  /** The log so far, one object per line. */
  readonly logLines: () => Record<string, unknown>[]
  readonly gate: Claimgate
}

export const header = (name: string, ...claims: string[]): IdentityHeader => ({
  header: name,
  claims,
  separator: ',',
  encoding: 'utf8',
  transforms: [],
  only: [],
  maxBytes: undefined,
})

/** Every setting at its default, but ports of the system's choice and no waiting at the end. */
export function testConfig(upstreamPort: number, jwksFile: string): Config {
  return {
    upstream: { protocol: 'http:', hostname: '127.0.0.1', port: upstreamPort },
    issuers: [HOST, `https://${HOST}/`],
    audiences: [HOST],
    keySet: { kind: 'file', path: jwksFile, cooldown: 10_000 },
    listen: { host: '127.0.0.1', port: 0 },
    adminListen: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    identityHeaders: [
      header('X-Pomerium-Claim-Sub', 'sub'),
      header('X-Pomerium-Claim-Email', 'email'),
      header('X-Pomerium-Claim-Groups', 'groups'),
      header('X-Pomerium-Claim-Name', 'name'),
    ],
    reservedHeaders: [],
    assertionHeader: 'X-Pomerium-Jwt-Assertion',
    forwardAssertion: false,
    algorithms: ['ES256'],
    clockSkew: 60_000,
    maxAssertionAge: undefined,
    allowAnonymous: false,
    publicPaths: [],
    corsPreflight: 'verify',
    allow: undefined,
    replayGuard: 'off',
    preserveHost: true,
    upstreamTls: {
      caFile: undefined,
      serverName: undefined,
      clientCertFile: undefined,
      clientKeyFile: undefined,
    },
    upstreamConnectTimeout: 5_000,
    upstreamResponseTimeout: 300_000,
    headerTimeout: 15_000,
    bodyIdleTimeout: 60_000,
    keepAliveTimeout: 3_900_000,
    maxHeaderSize: 128 * 1024,
    maxConnections: 10_000,
    tunnelMaxAge: undefined,
    drainDelay: 0,
    drainTimeout: 5_000,
    logLevel: 'info',
    logFormat: 'json',
    logEmail: true,
    auditLog: undefined,
    auditFields: AUDIT_FIELDS,
    tracing: 'off',
    errorDetail: 'code',
    statusPath: '/.claimgate',
    reportOnly: 'off',
  }
}

/** What a test may bring along: its wall clock, the key that the key set holds, and a stand-in for the tracing API. */
export interface Given {
  readonly now?: () => number
  readonly key?: SigningKey
  readonly loadTracing?: () => Promise<unknown>
}

export async function startClaimgate(
  t: Test,
  upstreamPort: number,
  changes: Partial<Config> = {},
  { now = () => NOW_MS, key = createKey(), ...deps }: Given = {},
): Promise<RunningClaimgate> {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  const jwksFile = join(folder, 'jwks.json')
  writeFileSync(jwksFile, JSON.stringify({ keys: [publicJwk(key)] }))
  const lines: string[] = []
  const config = { ...testConfig(upstreamPort, jwksFile), ...tlsOfThisRun(t), ...changes }
  const log = createLog(config, { write: (line) => void lines.push(line) })
  const gate = await createClaimgate(config, { log, now, ...deps })
  const { data, admin } = await gate.start()
  noteDataPort(data.port, config.tls)
  t.teardown(async () => {
    await gate.drain()
    rmSync(folder, { recursive: true })
  })
  await untilReady(admin?.port ?? 0)
  let serial = 0
  return {
    port: data.port,
    adminPort: admin?.port ?? 0,
    key,
    config,
    assertion: (claims) => mint({ key, claims: { jti: `jti-${serial++}`, ...claims } }),
    logLines: () => lines.map((line) => JSON.parse(line)),
    gate,
  }
}

async function untilReady(adminPort: number): Promise<void> {
  const deadline = Date.now() + 5_000
  while (Date.now() < deadline) {
    const { status } = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
    if (status === 200) return
  }
  throw new Error('claimgate did not become ready')
}

/** A request head with the good assertion first; `lines` follow as they are. */
export function requestBytes(
  assertion: string | undefined,
  { line = 'GET /t HTTP/1.1', lines = [] as readonly string[], body = '' } = {},
): string {
  const stamp = assertion === undefined ? [] : [`X-Pomerium-Jwt-Assertion: ${assertion}`]
  return `${[line, 'Host: app.example.com', ...stamp, ...lines].join('\r\n')}\r\n\r\n${body}`
}
