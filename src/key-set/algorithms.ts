/** The shape of the keys that one signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864) can use. */
interface KeyShape {
  readonly kty: 'EC' | 'RSA' | 'OKP'
  readonly crv: string | undefined
}

const RSA: KeyShape = { kty: 'RSA', crv: undefined }
const ED25519: KeyShape = { kty: 'OKP', crv: 'Ed25519' }

/** HMAC and `none` are absent on purpose: no shared secret can ever become a key. */
const SHAPES: ReadonlyMap<string, KeyShape> = new Map([
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['RS256', RSA],
  ['RS384', RSA],
  ['RS512', RSA],
  ['PS256', RSA],
  ['PS384', RSA],
  ['PS512', RSA],
  ['EdDSA', ED25519],
  ['Ed25519', ED25519],
])

/** Whether this is the name of an algorithm the key set knows, and so safe to print. */
export function isKnownAlgorithm(name: unknown): name is string {
  return typeof name === 'string' && SHAPES.has(name)
}

/** Those of `algorithms` that a key of this type and curve can verify. */
export function fittingAlgorithms(
  { kty, crv }: { readonly kty: unknown; readonly crv: unknown },
  algorithms: readonly string[],
): readonly string[] {
  return algorithms.filter((name) => {
    const shape = SHAPES.get(name)
    return shape !== undefined && shape.kty === kty && (shape.crv ?? crv) === crv
  })
}
