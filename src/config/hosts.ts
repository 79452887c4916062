import { isIPv4, isIPv6 } from 'node:net'
import type { ListenAddress } from './config.ts'
import { type Kind, type Reading, scalar } from './kinds.ts'

/** A DNS name (underscores allowed, as container names have them) or an IPv4 address. IPv6 is not a host name here. */
export function isHostName(text: string): boolean {
  if (text.length > 253 || !/^[\w-]{1,63}(\.[\w-]{1,63})*$/.test(text)) return false
  return isIPv4(text) || !/(^|\.)\d+$/.test(text)
}

/** Whether connections to this host stay on this machine: `localhost`, 127.0.0.0/8, `::1`. No brackets. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

/** Whether this host stands for every address of the machine. */
export const isAny = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** A name without a dot, as containers and services in one namespace have. */
export const isSingleLabel = (host: string): boolean => /^[\w-]+$/.test(host)

/** `host:port`, with brackets around an IPv6 address: `0.0.0.0:8000`, `[::1]:8000`. Port 0 is any free port. */
export const listenAddress: Kind<ListenAddress> = hostPort(
  'host:port',
  0,
  'be host:port such as 127.0.0.1:8000 or [::1]:8000',
)

/** `host:port` to dial; port 0 is refused. */
export const dialAddress: Kind<ListenAddress> = hostPort(
  'host:port',
  1,
  'be host:port such as pomerium:443',
)

/** A host name for TLS; an address has no name to check. */
export const serverName: Kind<string> = scalar('host name', { type: 'string' }, (text) =>
  isHostName(text) && !isIPv4(text)
    ? { value: text }
    : { must: 'be a host name such as app.internal' },
)

function hostPort(form: string, leastPort: number, must: string): Kind<ListenAddress> {
  return scalar(form, { type: 'string', pattern: ':[0-9]+$' }, (text): Reading<ListenAddress> => {
    const [, bracketed, plain, digits = ''] =
      /^(?:\[([^\]]*)\]|([^:[\]]+)):(0|[1-9]\d{0,4})$/.exec(text) ?? []
    const host = bracketed ?? plain ?? ''
    const port = Number(digits)
    const isHost = bracketed === undefined ? isHostName(host) : isIPv6(host)
    return isHost && digits !== '' && port >= leastPort && port <= 65_535
      ? { value: { host, port } }
      : { must }
  })
}
