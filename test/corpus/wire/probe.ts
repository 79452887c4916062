import { type RunningClaimgate, requestBytes } from '../../helpers/claimgate.ts'
import { exchangeBytes } from '../../helpers/raw-client.ts'

/** The subject of every probe. */
export const PROBE = 'probe'

let probes = 0

/** Whether a good request on a new connection gets its own 200, from an upstream that answers with method and target. */
export async function isWell({ port, assertion }: RunningClaimgate): Promise<boolean> {
  const target = `/probe-${probes++}`
  const request = requestBytes(assertion({ sub: PROBE }), {
    line: `GET ${target} HTTP/1.1`,
    lines: ['Connection: close'],
  })
  const answer = await exchangeBytes(port, request).catch(() => '')
  return answer.startsWith('HTTP/1.1 200 ') && answer.endsWith(`\r\n\r\nGET ${target}`)
}
