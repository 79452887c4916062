import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

/** A certificate and its private key, both PEM. */
export interface Credentials {
  readonly cert: string
  readonly key: string
}

export interface Issued {
  /** DNS names and addresses the certificate is for. */
  readonly names: readonly string[]
  /** End of its validity, from now; negative: it has expired. */
  readonly days?: number
}

export interface Authority {
  /** The certificate of the CA, PEM. */
  readonly cert: string
  issue(wanted: Issued): Credentials
}

const DAY = 24 * 3600 * 1000
const OID = {
  commonName: '550403',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
  ecdsaWithSha256: '2a8648ce3d040302',
}

/** A CA of its own for one test file: EC P-256, X.509 v3 (RFC 5280), written here so that no program is needed. */
export function createAuthority(name = 'Test CA'): Authority {
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const isCa = extension(OID.basicConstraints, sequence(tlv(0x01, Buffer.from([0xff]))))
  const issuer = { name, key: ca.privateKey }
  return {
    cert: certificate({ issuer, subject: name, key: ca.publicKey, days: 30, extension: isCa }),
    issue({ names, days = 30 }) {
      const { publicKey: key, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const altNames = extension(OID.subjectAltName, sequence(...names.map(generalName)))
      return {
        cert: certificate({ issuer, subject: 'leaf', key, days, extension: altNames }),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
    },
  }
}

interface Content {
  readonly issuer: { readonly name: string; readonly key: KeyObject }
  readonly subject: string
  readonly key: KeyObject
  readonly days: number
  readonly extension: Buffer
}

function certificate({ issuer, subject, key, days, extension }: Content): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256))
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(8)])),
    algorithm,
    commonName(issuer.name),
    sequence(time(Date.now() - 60 * DAY), time(Date.now() + days * DAY)),
    commonName(subject),
    key.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(extension)),
  )
  const signature = sign('sha256', body, issuer.key)
  const der = sequence(body, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, Buffer.concat(parts))
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'))
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), tlv(0x04, value))

const commonName = (name: string): Buffer =>
  sequence(tlv(0x31, sequence(oid(OID.commonName), tlv(0x0c, Buffer.from(name)))))

/** `YYMMDDhhmmssZ`. */
const time = (at: number): Buffer =>
  tlv(0x17, Buffer.from(`${new Date(at).toISOString().replace(/\D/g, '').slice(2, 14)}Z`))

const generalName = (name: string): Buffer =>
  isIP(name) === 4
    ? tlv(0x87, Buffer.from(name.split('.').map(Number)))
    : tlv(0x82, Buffer.from(name))
