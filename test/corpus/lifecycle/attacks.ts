import { type Case, readCorpus } from '../../helpers/corpus.ts'
import { createKey, type SigningKey } from '../../helpers/keys.ts'
import { HOST } from '../../helpers/mint.ts'
import { cook } from '../../helpers/recipes.ts'

/** The bytes of one client connection, Latin-1, and the assertions in them. */
export interface Attack {
  readonly id: string
  readonly bytes: string
  readonly tokens: readonly string[]
}

export interface Attacker {
  /** A fresh good assertion. */
  readonly assertion: () => string
  /** The key that signs it. */
  readonly key: SigningKey
  /** Seconds since the epoch. */
  readonly now: number
}

const casesOf = (file: string): readonly Case[] => readCorpus(file).cases

/** Every case of the files whose cases are bytes, request lines, fields or assertions. */
export function allAttacks(attacker: Attacker): Attack[] {
  const { assertion } = attacker
  const request = (
    id: string,
    line: string,
    token: string | undefined,
    lines: readonly string[],
  ) => {
    const stamp = token === undefined ? [] : [`X-Pomerium-Jwt-Assertion: ${token}`]
    const filled = lines.map((text) => text.replace(/\{\{ASSERTION\w*\}\}/, assertion()))
    const head = [line, 'Host: app.example.com', ...stamp, ...filled].join('\r\n')
    return { id, bytes: `${head}\r\n\r\n`, tokens: token === undefined ? [] : [token] }
  }
  const fresh = (recipe: Case) => (recipe['token'] === 'none' ? undefined : assertion())
  return [
    ...casesOf('smuggling.json').map((recipe) => smuggled(recipe, assertion())),
    ...casesOf('header-spoof.json').map((recipe) =>
      request(recipe.id, 'GET /t HTTP/1.1', fresh(recipe), recipe['lines'] as readonly string[]),
    ),
    ...casesOf('path-bypass.json').map((recipe) => {
      const line = `${recipe['method']} ${recipe['target']} HTTP/1.1`
      return request(recipe.id, line, fresh(recipe), [])
    }),
    ...badTokens(attacker).map(([id, token]) => request(id, 'GET /t HTTP/1.1', token, [])),
  ]
}

function smuggled({ id, ...recipe }: Case, token: string): Attack {
  const bytes = Buffer.from(recipe['b64'] as string, 'base64').toString('latin1')
  return { id, bytes: bytes.replaceAll('{{ASSERTION}}', token), tokens: [token] }
}

function badTokens({ key, now }: Attacker): (readonly [string, string])[] {
  const keys = {
    good: key,
    other: createKey('ES256', key.kid),
    attacker: createKey('ES256', 'attacker'),
    p384: createKey('ES384', key.kid),
    ed25519: createKey('EdDSA', key.kid),
    secp256k1: createKey('ES256K', key.kid),
  }
  const workshop = { keys, names: { iss: HOST, aud: HOST, kid: key.kid }, now }
  return casesOf('bad-tokens.json').flatMap((recipe) => {
    const token = cook(recipe, workshop)
    return /[\r\n\0]/.test(token) ? [] : [[recipe.id, token] as const]
  })
}
