import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readServerTls } from '../../src/tls/material.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { linesOf } from '../helpers/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'claimgate-tls-'))
t.teardown(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const authority = createAuthority()
const { cert, key } = authority.issue({ names: ['claimgate'], days: 7 })
const certFile = write('tls.crt', cert)
const keyFile = write('tls.key', key)
const caFile = write('ca.pem', authority.cert)
const problems = (changes: Partial<Parameters<typeof readServerTls>[0]>) =>
  linesOf(() => readServerTls({ certFile, keyFile, clientCaFile: undefined, ...changes }))

t.test('good files are taken as they are, with the end of the certificate', async (t) => {
  const tls = readServerTls({ certFile, keyFile, clientCaFile: caFile })
  t.match(tls, { cert, key, ca: authority.cert })
  t.ok(Math.abs(tls.expires - Date.now() - 7 * 24 * 3600 * 1000) < 60_000)
  t.equal(readServerTls({ certFile, keyFile, clientCaFile: undefined }).ca, undefined)
})

t.test('a chain and a bundle of authorities are taken', async (t) => {
  const chain = write('chain.pem', `${cert}${authority.cert}`)
  const bundle = write('bundle.pem', `# ours\n${authority.cert}\n${createAuthority().cert}`)
  t.strictSame(problems({ certFile: chain, clientCaFile: bundle }), [])
})

t.test('an expired certificate is taken: clients decide', async (t) => {
  const old = authority.issue({ names: ['claimgate'], days: -1 })
  const { expires } = readServerTls({
    certFile: write('old.crt', old.cert),
    keyFile: write('old.key', old.key),
    clientCaFile: undefined,
  })
  t.ok(expires < Date.now())
})

const CERTIFICATES = 'must hold certificates in PEM, got something else or a damaged one'
const KEY = 'must hold one private key in PEM without a passphrase, got something else'

t.test('every problem is told, with its file', async (t) => {
  const [empty, garbage] = [write('empty', ''), write('garbage', 'garbage')]
  t.strictSame(problems({ certFile: empty, keyFile: garbage, clientCaFile: empty }), [
    `${empty}: tls_cert_file ${CERTIFICATES}`,
    `${garbage}: tls_key_file ${KEY}`,
    `${empty}: tls_client_ca_file ${CERTIFICATES}`,
  ])
})

t.test('a half-written certificate is a problem, alone and in a bundle', async (t) => {
  const half = write('half.pem', cert.slice(0, cert.length / 2))
  const damaged = cert.replace(/\n.{10}/, '\nAAAAAAAAAA')
  for (const path of [half, write('damaged.pem', damaged), write('mixed.pem', cert + damaged)])
    t.strictSame(problems({ certFile: path }), [`${path}: tls_cert_file ${CERTIFICATES}`])
})

t.test('another key, one with a passphrase, and a certificate are no key', async (t) => {
  const other = write('other.key', authority.issue({ names: ['other'] }).key)
  t.strictSame(problems({ keyFile: other }), [
    `${other}: tls_key_file must hold the key of tls_cert_file, got another`,
  ])
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const locked = privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  })
  for (const path of [write('locked.key', locked.toString()), certFile])
    t.strictSame(problems({ keyFile: path }), [`${path}: tls_key_file ${KEY}`])
})

t.test('what cannot be read is said, and nothing is waited for', async (t) => {
  const absent = join(folder, 'absent')
  const large = write('large', 'x'.repeat(1024 * 1024 + 1))
  mkdirSync(join(folder, 'folder'))
  const rows = [
    [absent, 'no such file'],
    [large, 'a file over 1 MiB'],
    [join(folder, 'folder'), 'something else than a file'],
    ['/dev/zero', 'something else than a file'],
  ] as const
  for (const [path, got] of rows)
    t.strictSame(problems({ certFile: path }), [
      `${path}: tls_cert_file must name a readable file, got ${got}`,
    ])
})
