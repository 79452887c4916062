import { createHmac } from 'node:crypto'
import type { Random } from '../random.ts'

/** The order of the group of P-256 (SEC 2, section 2.4.2). */
const N = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

const scalar = (value: bigint, size = 32): Buffer =>
  Buffer.from(
    value
      .toString(16)
      .padStart(size * 2, '0')
      .slice(-size * 2),
    'hex',
  )
const number = (bytes: Buffer): bigint => BigInt(`0x0${bytes.toString('hex')}`)

/** Another signature made from a good one of 64 bytes; two of the kinds are valid as well. */
export function editSignature(random: Random, good: Buffer): Buffer {
  const half = good.length >> 1
  const [r, s] = [good.subarray(0, half), good.subarray(half)]
  const at = random.int(good.length)
  return random.weighted<() => Buffer>([
    [6, () => flip(good, at, 1 << random.int(8))],
    [2, () => Buffer.concat([r, scalar(N - (number(s) % N), half)])],
    [2, () => Buffer.concat([scalar(N - (number(r) % N), half), s])],
    [2, () => Buffer.concat([scalar(number(r) + N, half), s])],
    [2, () => Buffer.concat([s, r])],
    [2, () => der(r, s)],
    [1, () => Buffer.concat([der(r, s), Buffer.alloc(random.int(4))])],
    [2, () => Buffer.concat([pick(random, half), s])],
    [2, () => Buffer.concat([r, pick(random, half)])],
    [2, () => Buffer.concat([pick(random, half), pick(random, half)])],
    [3, () => good.subarray(0, at)],
    [2, () => good.subarray(at)],
    [2, () => Buffer.concat([good, random.bytes(1 + random.int(3))])],
    [2, () => Buffer.concat([Buffer.alloc(1 + random.int(2)), good])],
    [1, () => Buffer.concat([Buffer.alloc(1), r, Buffer.alloc(1), s])],
    [1, () => Buffer.concat([good, good])],
    [1, () => Buffer.alloc(0)],
    [2, () => random.bytes(good.length)],
  ])()
}

function flip(bytes: Buffer, at: number, mask: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ mask
  return copy
}

/** A number that no good signature holds. */
function pick(random: Random, size: number): Buffer {
  return scalar(random.pick([0n, 1n, N - 1n, N, N + 1n, (1n << 256n) - 1n]), size)
}

/** ASN.1 as OpenSSL and X.509 write it, which RFC 7518 section 3.4 does not allow here. */
function der(r: Buffer, s: Buffer): Buffer {
  const integer = (bytes: Buffer) => {
    const value = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
    return Buffer.concat([Buffer.of(2, value.length), value])
  }
  const body = Buffer.concat([integer(r), integer(s)])
  return Buffer.concat([Buffer.of(0x30, body.length), body])
}

/** A code that only a shared secret could make, keyed with what everybody can read. */
export const hmac = (hash: string, secret: string | Buffer, input: string): Buffer =>
  createHmac(hash, secret).update(input).digest()
