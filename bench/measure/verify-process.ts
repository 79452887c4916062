/**
 * What a P-256 signature check costs by itself, and what claimgate's verifier makes of it, without any socket. A process
 * of its own on the proxy's processors: gets the names of a file with tokens and of one with the key set, and answers each
 * count that it is sent with the microseconds of processor time that one of either took.
 */
import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createVerifier } from '../../src/assertion/verify.ts'
import { parseJwkSet } from '../../src/key-set/parse.ts'
import { HOST } from '../tokens.ts'

/** Processor time of one, microseconds. */
export interface VerifyCost {
  /** OpenSSL through `crypto.verify`, and nothing around it. */
  readonly bare: number
  /** An assertion from its text to its claims. */
  readonly verifier: number
}

const ALGORITHMS = ['ES256']
/** Both take turns in steps of this size, so that whatever slows the machine slows both. */
const STEP = 200
/** So many assertions are under way at once. */
const IN_FLIGHT = 20

const [, , tokensFile = '', keySetFile = ''] = process.argv
const tokens = readFileSync(tokensFile, 'latin1').split('\n')
const keySetText = readFileSync(keySetFile, 'utf8')

/** An ASN.1 INTEGER. */
function integer(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const digits = bytes.subarray(start)
  const sign = (digits[0] ?? 0) > 127 ? [0] : []
  return Buffer.concat([Buffer.from([2, digits.length + sign.length, ...sign]), digits])
}

const checks = tokens.map((token) => {
  const end = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  const both = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))])
  const der = Buffer.concat([Buffer.from([0x30, both.length]), both])
  return { text: Buffer.from(token.slice(0, end)), der }
})
const publicKey = createPublicKey({ key: JSON.parse(keySetText).keys[0], format: 'jwk' })

const parsed = await parseJwkSet(keySetText, ALGORITHMS)
if (parsed.kind !== 'keys') throw new Error('the key set of the bench is not accepted')
const verifyAssertion = createVerifier({
  keySet: {
    find: (_alg, kid) => parsed.keys.filter((key) => key.kid === kid),
    refreshForUnknownKey: async () => undefined,
  },
  expected: {
    issuers: [HOST],
    audiences: [HOST],
    algorithms: ALGORITHMS,
    clockSkew: 60_000,
    maxAssertionAge: undefined,
  },
  now: Date.now,
})

let nextCheck = 0
async function checkBare(): Promise<void> {
  for (let i = 0; i < STEP; i++) {
    const check = checks[nextCheck++ % checks.length]
    // Options, such as the other form of the signature, cost up to a third more on some lines of Node.
    if (check === undefined || !verify('sha256', check.text, publicKey, check.der))
      throw new Error('a good signature was not accepted')
  }
}

let nextToken = 0
async function checkAll(): Promise<void> {
  let left = STEP
  const worker = async () => {
    while (left-- > 0) await verifyAssertion(tokens[nextToken++ % tokens.length] ?? '', 'required')
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

async function measure(count: number): Promise<VerifyCost> {
  const sum = { bare: 0, verifier: 0 }
  const steps = Math.max(1, Math.round(count / STEP))
  for (let step = 0; step < steps; step++) {
    sum.bare += await timeOf(checkBare)
    sum.verifier += await timeOf(checkAll)
  }
  return { bare: sum.bare / steps / STEP, verifier: sum.verifier / steps / STEP }
}

process.on('message', (count: number) => {
  void measure(count).then((cost) => process.send?.(cost))
})
process.on('disconnect', () => process.exit(0))
