import { flattenedVerify } from 'jose'
import type { VerifierDeps } from '../../../src/assertion/verify.ts'
import type { VerificationKey } from '../../../src/key-set/types.ts'
import {
  createKey,
  memoryKeySet,
  publicJwk,
  type SigningKey,
  verificationKey,
} from '../../helpers/keys.ts'
import { HOST, NOW, NOW_MS } from '../../helpers/mint.ts'
import type { OracleRules } from './oracle.ts'

/** One set of rules, as the verifier takes them and as the oracle does. */
export interface Case {
  readonly deps: VerifierDeps
  readonly subject: 'required' | 'may-be-empty'
  readonly rules: OracleRules
  /** How often a token is brought before these rules, against the others. */
  readonly weight: number
}

export interface Keys {
  /** In the set. */
  readonly known: readonly SigningKey[]
  /** Those of them that sign most tokens. */
  readonly usual: readonly SigningKey[]
  /** Not in the set: their names are those of known keys, or of none. */
  readonly foreign: readonly [SigningKey, ...SigningKey[]]
}

export function createKeys(): Keys {
  const usual = [createKey('ES256', 'first'), createKey('ES256', 'second')]
  const rsa = createKey('RS256', 'rsa')
  const known = [
    ...usual,
    createKey('ES256', 'twin'),
    createKey('ES256', 'twin'),
    createKey('ES384', 'wide'),
    createKey('EdDSA', 'edwards'),
    rsa,
    { ...rsa, alg: 'PS256', kid: 'pss' },
  ]
  const foreign = [
    createKey('ES256', 'first'),
    createKey('ES256', 'stranger'),
    createKey('ES384', 'wide'),
  ] as const
  return { known, usual, foreign }
}

/** The JWK Set of the known keys, with which a finding can be seen again. */
export const jwksOf = ({ known }: Keys): string => JSON.stringify({ keys: known.map(publicJwk) })

const ALL = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA']
const MINUTES_10 = 600

async function witnessed(
  key: SigningKey,
  onDisagreement: (what: string) => void,
): Promise<VerificationKey> {
  const own = await verificationKey(key)
  const check = async (signed: Uint8Array, signature: Uint8Array) => {
    const isGood = await own.check(signed, signature)
    if (isGood !== (await joseAgrees(key, signed, signature)))
      onDisagreement(`${key.alg} ${isGood ? 'accepted' : 'refused'}, but not by jose`)
    return isGood
  }
  return { ...own, check }
}

async function joseAgrees(
  { publicKey, alg }: SigningKey,
  signed: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const [header = '', payload = ''] = Buffer.from(signed).toString('latin1').split('.')
  const jws = {
    protected: header,
    payload,
    signature: Buffer.from(signature).toString('base64url'),
  }
  return flattenedVerify(jws, publicKey, { algorithms: [alg] }).then(
    () => true,
    () => false,
  )
}

type Terms = Omit<OracleRules, 'keys' | 'now'> & { readonly hasKeys: boolean; weight: number }

const TERMS: readonly Terms[] = [
  {
    weight: 60,
    hasKeys: true,
    issuers: [HOST, `https://${HOST}/`],
    audiences: [HOST],
    algorithms: ['ES256'],
    skew: 60,
    maxAge: undefined,
    mayBeEmpty: false,
  },
  {
    weight: 25,
    hasKeys: true,
    issuers: ['*.example.com', 'https://*.example.com/'],
    audiences: ['app.example.org', '*.example.com'],
    algorithms: ALL,
    skew: 0,
    maxAge: MINUTES_10,
    mayBeEmpty: false,
  },
  {
    weight: 13,
    hasKeys: true,
    issuers: [HOST],
    audiences: [HOST, 'second.example.com'],
    algorithms: ['ES256', 'EdDSA'],
    skew: 1.5,
    maxAge: 30,
    mayBeEmpty: true,
  },
  {
    weight: 2,
    hasKeys: false,
    issuers: [HOST],
    audiences: [HOST],
    algorithms: ['ES256'],
    skew: 60,
    maxAge: undefined,
    mayBeEmpty: false,
  },
]

/** `onDisagreement` is told when jose, which the program does not ask, says otherwise about a signature. */
export async function createCases(
  { known }: Keys,
  onDisagreement: (what: string) => void,
): Promise<readonly Case[]> {
  const keys = await Promise.all(known.map((key) => witnessed(key, onDisagreement)))
  return TERMS.map(({ weight, hasKeys, ...terms }) => ({
    weight,
    subject: terms.mayBeEmpty ? 'may-be-empty' : 'required',
    rules: { ...terms, now: NOW, keys: hasKeys ? known : undefined },
    deps: {
      keySet: memoryKeySet(hasKeys ? keys : undefined),
      now: () => NOW_MS,
      expected: {
        issuers: terms.issuers,
        audiences: terms.audiences,
        algorithms: terms.algorithms,
        clockSkew: terms.skew * 1000,
        maxAssertionAge: terms.maxAge === undefined ? undefined : terms.maxAge * 1000,
      },
    },
  }))
}
