import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Bytes, Milliseconds, ServerTlsFiles } from '../config/config.ts'
import { ConfigError, type Problem } from '../errors.ts'

/** What the data port shows, and whom it asks for a certificate: PEM texts that were found good together. */
export interface ServerTls {
  readonly cert: string
  readonly key: string
  readonly ca: string | undefined
  /** End of the certificate's validity, since the epoch. */
  readonly expires: Milliseconds
}

/** The text of a file, or what was found instead. Never throws. */
export type ReadPem = (path: string) => string | { readonly got: string }

/** A chain has a few KB; a bundle of all public authorities has 200. */
const MAX_SIZE: Bytes = 1024 * 1024

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

/**
 * Reads the files of TLS and tries them together, so that what is wrong is told before a client meets it. OpenSSL takes
 * a text without a certificate for an empty list and says nothing: here it is a problem. An expired certificate is none:
 * the clock may be wrong, and clients decide.
 *
 * @throws ConfigError with every problem; the source of each is the file
 */
export function readServerTls(
  { certFile, keyFile, clientCaFile }: ServerTlsFiles,
  read: ReadPem = readSmall,
): ServerTls {
  const problems: Problem[] = []
  const take = <T>(setting: string, path: string, part: Part<T>) => {
    const found = understand(read(path), part)
    if (!('must' in found)) return found
    problems.push(wrong(path, `${setting} must ${found.must}`))
    return undefined
  }
  const cert = take('tls_cert_file', certFile, CERTIFICATES)
  const key = take('tls_key_file', keyFile, PRIVATE_KEY)
  const ca =
    clientCaFile === undefined
      ? undefined
      : take('tls_client_ca_file', clientCaFile, CERTIFICATES)?.text
  const [leaf] = cert?.value ?? []
  if (leaf !== undefined && key !== undefined && !leaf.checkPrivateKey(key.value))
    problems.push(wrong(keyFile, 'tls_key_file must hold the key of tls_cert_file, got another'))

  if (problems.length > 0 || cert === undefined || key === undefined || leaf === undefined)
    throw new ConfigError(problems)
  tryOut({ cert: cert.text, key: key.text }, certFile)
  return { cert: cert.text, key: key.text, ca, expires: leaf.validToDate.getTime() }
}

/** How one of the files is understood, and what it must hold. */
interface Part<T> {
  readonly parse: (pem: string) => T | undefined
  readonly must: string
}

const CERTIFICATES: Part<X509Certificate[]> = {
  parse: certificatesOf,
  must: 'hold certificates in PEM, got something else or a damaged one',
}

const PRIVATE_KEY: Part<KeyObject> = {
  parse: privateKeyOf,
  must: 'hold one private key in PEM without a passphrase, got something else',
}

function understand<T>(text: ReturnType<ReadPem>, { parse, must }: Part<T>) {
  if (typeof text !== 'string') return { must: `name a readable file, got ${text.got}` }
  const value = parse(text)
  return value === undefined ? { must } : { text, value }
}

const wrong = (source: string, message: string): Problem => ({ source, message })

/** The text, or what was found instead. Opening a pipe would wait for a writer. */
function readSmall(path: string): string | { readonly got: string } {
  try {
    const stats = statSync(path)
    if (!stats.isFile()) return { got: 'something else than a file' }
    if (stats.size > MAX_SIZE) return { got: 'a file over 1 MiB' }
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'a fault'
    return { got: code === 'ENOENT' ? 'no such file' : code }
  }
}

/** At least one, and all of them good. */
function certificatesOf(pem: string): X509Certificate[] | undefined {
  try {
    const all = (pem.match(BLOCK) ?? []).map((block) => new X509Certificate(block))
    return all.length === 0 ? undefined : all
  } catch {
    return undefined
  }
}

function privateKeyOf(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

/** What only OpenSSL knows: a key that is too short for it, a curve that it cannot use. */
function tryOut(texts: Pick<ServerTls, 'cert' | 'key'>, certFile: string): void {
  try {
    createSecureContext(texts)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'a fault'
    const message = `tls_cert_file must be one that OpenSSL can use, got ${code}`
    throw new ConfigError([wrong(certFile, message)])
  }
}
