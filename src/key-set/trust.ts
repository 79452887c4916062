import { readFile } from 'node:fs/promises'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { KeySetSource } from '../config/config.ts'
import type { LoadFailure } from './types.ts'

type RemoteSource = Extract<KeySetSource, { kind: 'remote' }>
export type TrustFiles = Pick<RemoteSource, 'caFiles' | 'clientCertFile' | 'clientKeyFile'>

export type Trust = { readonly kind: 'context'; readonly context: SecureContext } | LoadFailure

interface Material {
  readonly ca: readonly string[]
  readonly cert: string | undefined
  readonly key: string | undefined
}

/**
 * The TLS identity and the CAs for the key set: Node's own and the system's, and those of `jwks_ca_file` besides.
 * The files are read each time, so renewed ones are used without a restart; the context, which takes tens of
 * milliseconds to make, is made again only when they changed. The returned function never rejects.
 */
export function createTrust(files: TrustFiles): () => Promise<Trust> {
  let made: { readonly seal: string; readonly context: SecureContext } | undefined
  return async () => {
    const material = await readMaterial(files)
    if ('kind' in material) return material
    const seal = JSON.stringify(material)
    try {
      made = made?.seal === seal ? made : { seal, context: createContext(material) }
      return { kind: 'context', context: made.context }
    } catch {
      return unusable('jwks_client_cert_file and jwks_client_key_file do not form a usable pair')
    }
  }
}

function createContext({ ca, cert, key }: Material): SecureContext {
  const known = new Set([...getCACertificates('default'), ...getCACertificates('system'), ...ca])
  return createSecureContext({
    ca: [...known],
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  })
}

async function readMaterial(files: TrustFiles): Promise<Material | LoadFailure> {
  const { caFiles, clientCertFile, clientKeyFile } = files
  try {
    const ca = await Promise.all(caFiles.map((path) => readFile(path, 'utf8')))
    // OpenSSL takes a text without a certificate for an empty list and says nothing.
    if (ca.some((text) => !text.includes('-----BEGIN CERTIFICATE-----'))) {
      return unusable('jwks_ca_file holds no certificate in PEM')
    }
    const [cert, key] = await Promise.all([
      readOptional(clientCertFile),
      readOptional(clientKeyFile),
    ])
    return { ca, cert, key }
  } catch {
    return unusable('jwks_ca_file, jwks_client_cert_file or jwks_client_key_file cannot be read')
  }
}

async function readOptional(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : await readFile(path, 'utf8')
}

function unusable(reason: string): LoadFailure {
  return { kind: 'failed', reason, summary: reason, retryAfter: undefined }
}
