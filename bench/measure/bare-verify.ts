/**
 * What one bare P-256 signature check costs: OpenSSL through `crypto.verify` and nothing around it. A process of its own,
 * on the proxy's processors. Gets the name of a file with tokens and of the key; answers each count that it is sent with
 * the microseconds of processor time that one check took.
 */
import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { processorTime } from './process.ts'

const [, , tokensFile = '', keyFile = ''] = process.argv
const key = createPublicKey(readFileSync(keyFile))

/** An ASN.1 INTEGER. */
function integer(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const digits = bytes.subarray(start)
  const sign = (digits[0] ?? 0) > 127 ? [0] : []
  return Buffer.concat([Buffer.from([2, digits.length + sign.length, ...sign]), digits])
}

const checks = readFileSync(tokensFile, 'latin1')
  .split('\n')
  .map((token) => {
    const end = token.lastIndexOf('.')
    const signature = Buffer.from(token.slice(end + 1), 'base64url')
    const both = Buffer.concat([
      integer(signature.subarray(0, 32)),
      integer(signature.subarray(32)),
    ])
    const der = Buffer.concat([Buffer.from([0x30, both.length]), both])
    return { text: Buffer.from(token.slice(0, end)), der }
  })

let next = 0
process.on('message', (count: number) => {
  const before = processorTime([process.pid])
  for (let i = 0; i < count; i++) {
    const check = checks[next++ % checks.length]
    // Options, such as the other form of the signature, cost up to a third more on some lines of Node.
    if (check === undefined || !verify('sha256', check.text, key, check.der))
      throw new Error('a good signature was not accepted')
  }
  process.send?.((processorTime([process.pid]) - before) / 1000 / count)
})
process.on('disconnect', () => process.exit(0))
