import type { JWK } from 'jose'
import { type JwksServer, startJwksServer } from './jwks-server.ts'
import { createKey, publicJwk, type SigningKey } from './keys.ts'
import { HOST, type Members, mint } from './mint.ts'
import type { Owner } from './program.ts'

/** A key set endpoint and the keys behind it, on the real clock. */
export interface Issuer {
  /** Settings that make claimgate trust it. */
  readonly env: Readonly<Record<string, string>>
  readonly server: () => JwksServer
  readonly key: () => SigningKey
  /** What is published, as a JWK Set. */
  readonly keySet: () => { readonly keys: readonly JWK[] }
  /** A fresh good assertion; every one has its own `jti`. */
  assertion(claims?: Members): string
  /** Publishes a new key beside the one in use. */
  announce(): void
  /** Publishes a new key and signs with it from now on. */
  rotate(): void
  /** Signs with the newest key from now on. */
  adopt(): void
  /** Closes the port; the keys stay. */
  stop(): Promise<void>
  /** Opens the same port again with the same keys. */
  restart(): Promise<void>
}

/** Keys that stay published, the newest included. */
const PUBLISHED = 2

export async function startIssuer(owner: Owner): Promise<Issuer> {
  let server = await startJwksServer(owner)
  const { port, uri } = server
  let keys = [createKey()]
  let serial = 0
  const keySet = () => ({ keys: keys.map(publicJwk) })
  const publish = () => server.serve(keySet())
  let signing = keys[0] as SigningKey
  const announce = () => {
    keys = [...keys, createKey()].slice(-PUBLISHED)
    publish()
  }
  const adopt = () => {
    signing = keys.at(-1) as SigningKey
  }
  publish()
  return {
    env: {
      CLAIMGATE_ISSUER: HOST,
      CLAIMGATE_AUDIENCE: HOST,
      CLAIMGATE_JWKS_URI: uri.href,
    },
    server: () => server,
    key: () => signing,
    keySet,
    assertion: (claims) =>
      mint({
        key: signing,
        now: Math.floor(Date.now() / 1000),
        claims: { jti: `jti-${serial++}`, ...claims },
      }),
    announce,
    adopt,
    rotate() {
      announce()
      adopt()
    },
    stop: () => server.stop(),
    async restart() {
      server = await startJwksServer(owner, { port })
      publish()
    },
  }
}
