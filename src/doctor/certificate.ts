import { checkServerIdentity } from 'node:tls'
import type { Finding, findingsAbout } from './finding.ts'
import type { Presented } from './probe.ts'

/** Which settings mend what. */
export interface TlsSettings {
  readonly authority: string
  readonly name: string
}

const MAX_SHOWN = 200

/** What a server's certificate is worth for `name`. */
export function judgeCertificate(
  { certificate, chainFault }: Presented,
  name: string,
  { settings, tell }: { settings: TlsSettings; tell: ReturnType<typeof findingsAbout> },
): Finding {
  if (chainFault === 'CERT_HAS_EXPIRED')
    return tell.error(`its certificate has expired (${certificate.valid_to})`, 'renew it')
  if (chainFault === 'CERT_NOT_YET_VALID')
    return tell.error('its certificate is not valid yet', 'the clock of this machine')
  if (chainFault !== undefined) {
    const issuer = readable(certificate.issuer?.CN ?? 'itself')
    return tell.error(
      `its certificate is signed by ${issuer}, which is not a known CA (${readable(chainFault)})`,
      settings.authority,
    )
  }
  if (checkServerIdentity(name, certificate) !== undefined) {
    const names = readable(certificate.subjectaltname ?? 'no name')
    return tell.error(`its certificate is for ${names}, not for ${name}`, settings.name)
  }
  return tell.ok(`its certificate is good for ${name}, until ${readable(certificate.valid_to)}`)
}

/** What the other side wrote, cut to 200 characters and without any that move a cursor. */
export const readable = (text: string | readonly string[]): string =>
  String(text)
    .slice(0, MAX_SHOWN)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
