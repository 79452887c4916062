import { createPublicKey } from 'node:crypto'
import { type ImportedKey, importPublicKey } from './jwk.ts'
import { collectKeys, MAX_KEYS, parseJwkSet } from './parse.ts'
import type { ParsedKeySet } from './types.ts'

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g
const PUBLIC_LABELS = ['PUBLIC KEY', 'RSA PUBLIC KEY']

interface Block {
  readonly label: string
  readonly pem: string
}

/**
 * The content of `jwks_file`: a JWK Set, public keys in PEM (SPKI, or PKCS#1 for RSA), or one X.509 certificate,
 * which is only the wrapping of its key: neither its dates nor its issuer are looked at. PEM keys have no `kid` and
 * so fit every assertion. Never rejects.
 */
export async function parseKeyFile(
  text: string,
  algorithms: readonly string[],
): Promise<ParsedKeySet> {
  if (!text.includes('-----BEGIN ')) return parseJwkSet(text, algorithms)
  const blocks = [...text.matchAll(BLOCK)].map(([pem, label]) => ({ pem, label: label ?? '' }))
  const why = unsuitable(blocks)
  if (why !== undefined) return { kind: 'not-a-key-set', reason: `the PEM text ${why}` }
  return collectKeys(
    await Promise.all(blocks.map((block) => importBlock(block, algorithms))),
    algorithms,
  )
}

function unsuitable(blocks: readonly Block[]): string | undefined {
  const labels = blocks.map(({ label }) => label)
  if (labels.some((label) => label.endsWith('PRIVATE KEY'))) {
    return 'holds a private key: give the public key alone'
  }
  const certificates = labels.filter((label) => label === 'CERTIFICATE').length
  const others = labels.filter((label) => !PUBLIC_LABELS.includes(label)).length - certificates
  if (labels.length === 0) return 'is damaged'
  if (others > 0) return 'holds something that is neither a public key nor a certificate'
  // In a chain the second certificate is a CA's, and its key must not verify assertions.
  if (certificates > 1) return 'holds several certificates: keep the one of the signing key'
  if (labels.length > MAX_KEYS) return `holds more than ${MAX_KEYS} keys`
  return undefined
}

async function importBlock({ pem }: Block, algorithms: readonly string[]): Promise<ImportedKey> {
  try {
    // Text copied from a page often has empty or indented lines, which OpenSSL refuses.
    const lines = pem.replace(/\s*\n\s*/g, '\n')
    return await importPublicKey(createPublicKey(lines).export({ format: 'jwk' }), algorithms)
  } catch {
    return { kind: 'ignored', why: 'is damaged or of a kind that signs no assertions' }
  }
}
