import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from '../stage.ts'
import { HOST } from '../tokens.ts'
import { freePort, launch, missingProgram, type Peer, versionOf } from './peer.ts'

const VERSION = ['-v'] as const

/** Long enough for an assertion with 200 groups and the headers made of it. */
const BUFFER = 65_536

const base = (port: number, stage: Stage, rules: readonly string[]): string => `global
  nbthread ${stage.cores.count}
  maxconn 9000
  tune.bufsize ${BUFFER}
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
  option http-keep-alive
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
${rules.map((rule) => `  http-request ${rule}\n`).join('')}  default_backend app
backend app
  server app 127.0.0.1:${stage.upstreamPort} maxconn 9000
`

const CLAIMS = ['Sub', 'User', 'Email', 'Name'] as const

/** Every check that HAProxy leaves to whoever configures it, and the headers. */
function rules({ publicKeyFile, key }: Stage): readonly string[] {
  const claim = (name: string, type = '') => `var(txn.jwt),jwt_payload_query('$.${name}'${type})`
  const refuseUnless = (condition: string) => `deny deny_status 401 unless { ${condition} }`
  return [
    'deny deny_status 401 unless { req.hdr_cnt(x-pomerium-jwt-assertion) eq 1 }',
    'set-var(txn.jwt) req.fhdr(x-pomerium-jwt-assertion)',
    "set-var(txn.alg) var(txn.jwt),jwt_header_query('$.alg')",
    refuseUnless('var(txn.alg) -m str ES256'),
    refuseUnless(`var(txn.jwt),jwt_header_query('$.kid') -m str ${key.kid}`),
    refuseUnless(`var(txn.jwt),jwt_verify(txn.alg,"${publicKeyFile}") 1`),
    refuseUnless(`${claim('iss')} -m str ${HOST}`),
    refuseUnless(`${claim('aud')} -m str ${HOST}`),
    'set-var(txn.past) date(-60)',
    'set-var(txn.future) date(60)',
    `set-var(txn.exp) ${claim('exp', ",'int'")}`,
    `set-var(txn.iat) ${claim('iat', ",'int'")}`,
    refuseUnless('var(txn.exp) -m found'),
    refuseUnless('var(txn.exp),sub(txn.past) -m int gt 0'),
    refuseUnless('var(txn.iat) -m found'),
    'deny deny_status 401 if { var(txn.iat),sub(txn.future) -m int gt 0 }',
    'del-header x-pomerium- -m beg',
    ...CLAIMS.map((name) => `set-header X-Pomerium-Claim-${name} %[${claim(name.toLowerCase())}]`),
    // Of a list only single items can be asked for.
    `set-header X-Pomerium-Claim-Groups %[${claim('groups[0]')}]`,
  ]
}

const start =
  (name: string, rulesOf: (stage: Stage) => readonly string[]): Peer['start'] =>
  async (stage) => {
    const port = await freePort()
    const file = join(stage.folder, `${name}.cfg`)
    writeFileSync(file, base(port, stage, rulesOf(stage)))
    const version = versionOf('haproxy', VERSION)
    return launch({ stage, name, port, version, command: ['haproxy', '-db', '-f', file] })
  }

const available = () => missingProgram('haproxy', VERSION)

export const haproxyJwt: Peer = {
  name: 'haproxy-jwt',
  title: 'HAProxy `jwt_verify`',
  verifies: 'all',
  lacks: 'key from a PEM file: no key set, no rotation; only the first group is forwarded',
  available,
  start: start('haproxy-jwt', rules),
}

export const haproxy: Peer = {
  name: 'haproxy',
  title: 'HAProxy, forwarding alone',
  verifies: 'none',
  available,
  start: start('haproxy', () => []),
}
