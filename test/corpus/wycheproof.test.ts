import { createPublicKey } from 'node:crypto'
import t from 'tap'
import { parseCompact } from '../../src/assertion/compact.ts'
import { verifySignature } from '../../src/assertion/signature.ts'
import { RejectedError } from '../../src/errors.ts'
import { parseJwkSet } from '../../src/key-set/parse.ts'
import { createCheckSignature } from '../../src/key-set/signature.ts'
import { runVectors } from '../helpers/corpus.ts'
import { memoryKeySet } from '../helpers/keys.ts'

interface Jwk {
  readonly kty?: string
  readonly crv?: string
  readonly alg?: string
  readonly keys?: readonly Jwk[]
}

interface Vectors {
  readonly groups: readonly {
    readonly group: string
    readonly key: Jwk
    readonly tests: readonly {
      readonly tcId: number
      readonly comment: string
      readonly result: string
      readonly jws: string
    }[]
  }[]
}

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

async function outcomeOf(jws: string, key: Jwk, algorithms: readonly string[]): Promise<string> {
  const set = await parseJwkSet(JSON.stringify(key.keys ? key : { keys: [key] }), algorithms)
  const keySet = memoryKeySet(set.kind === 'keys' ? set.keys : [])
  try {
    await verifySignature(parseCompact(jws), { keySet, algorithms })
    return 'valid'
  } catch (error) {
    return error instanceof RejectedError ? 'invalid' : `threw ${error}`
  }
}

function isEs256(key: Jwk): boolean {
  const keys = key.keys ?? [key]
  return keys.some(({ kty, alg, crv }) => kty === 'EC' && crv === 'P-256' && alg === 'ES256')
}

function algorithmOf(jws: string): unknown {
  try {
    return parseCompact(jws).header['alg']
  } catch {
    return undefined
  }
}

for (const file of ['jws-wycheproof.json', 'jwks-wycheproof.json']) {
  t.test(`${file}: with ES256 alone allowed`, async (t) => {
    await runVectors<Vectors>(t, file, async ({ groups }, tally) => {
      let es256 = 0
      for (const { group, key, tests } of groups) {
        for (const { tcId, comment, result, jws } of tests) {
          // A good signature of another algorithm must be refused all the same.
          const wanted = isEs256(key) ? result : 'invalid'
          const outcome = await outcomeOf(jws, key, ['ES256'])
          tally.ran += 1
          if (isEs256(key)) es256 += 1
          if (outcome !== wanted) tally.deviations.push(`${group} ${tcId} ${comment}: ${outcome}`)
        }
      }
      t.comment(`${file}: ${es256} of them with an ES256 key`)
    })
  })
}

t.test('jws-wycheproof.json: RSA keys with every RSA algorithm allowed', async (t) => {
  await runVectors<Vectors>(t, 'jws-wycheproof.json', async ({ groups }, tally) => {
    for (const { group, key, tests } of groups) {
      for (const { tcId, comment, result, jws } of tests) {
        const alg = algorithmOf(jws)
        // RFC 7517 section 4.4 lets a verifier hold a key to its own alg, as ours does; the vector does not.
        const isForAnotherAlg = key.alg !== undefined && key.alg !== alg && result === 'valid'
        if (key.kty === 'oct' || key.kty === 'EC' || isForAnotherAlg) {
          tally.notRun += 1
          continue
        }
        tally.ran += 1
        const outcome = await outcomeOf(jws, key, RSA)
        if (outcome !== result) tally.deviations.push(`${group} ${tcId} ${comment}: ${outcome}`)
      }
    }
  })
})

interface EcdsaVectors {
  readonly groups: readonly {
    readonly x: string
    readonly y: string
    readonly t: readonly [number, string, string, string, string][]
  }[]
}

t.test('ecdsa-p256-p1363.json: the check of signatures, on the loop and in the pool', async (t) => {
  const file = 'ecdsa-p256-p1363.json'
  await runVectors<EcdsaVectors>(t, file, async ({ groups }, tally) => {
    for (const { x, y, t: vectors } of groups) {
      const jwk = { kty: 'EC', crv: 'P-256', x, y }
      const key = createPublicKey({ key: jwk, format: 'jwk' })
      const checks = (['loop', 'pool'] as const).map((place) =>
        createCheckSignature('ES256', key, place),
      )
      for (const [tcId, result, flags, message, signature] of vectors) {
        const signed = Buffer.from(signature, 'hex')
        const data = Buffer.from(message, 'hex')
        tally.ran += 1
        for (const check of checks) {
          const isGood = await check(data, signed)
          if (isGood !== (result === 'valid')) tally.deviations.push(`${tcId} ${flags}: ${isGood}`)
        }
      }
    }
  })
})
