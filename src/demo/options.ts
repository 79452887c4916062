import { BlockList, isIP } from 'node:net'
import { parseArgs } from 'node:util'
import { ConfigError, type Problem } from '../errors.ts'

export interface DemoOptions {
  /** A loopback address, never anything else. */
  readonly host: string
  /** 0 is any free port; `undefined` is 8080, or any free one when that is taken. */
  readonly port: number | undefined
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/**
 * Reads the demo's own flags, `--host` and `--port`. Throws ConfigError with every problem at once.
 * Any other address than loopback is refused: the stand-in signs in whoever asks.
 */
export const readDemoOptions = (flags: readonly string[]): DemoOptions => {
  const { host = '127.0.0.1', port } = parse(flags)
  const problems = [...hostProblems(host), ...portProblems(port)]
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    host: host === 'localhost' ? '127.0.0.1' : host,
    port: port === undefined ? undefined : Number(port),
  }
}

const parse = (flags: readonly string[]): { host?: string; port?: string } => {
  try {
    const options = { host: { type: 'string' }, port: { type: 'string' } } as const
    return parseArgs({ args: [...flags], options }).values
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new ConfigError([
      { source: 'claimgate demo', message: `${message}; want [--host ADDRESS] [--port PORT]` },
    ])
  }
}

const hostProblems = (host: string): Problem[] => {
  const family = isIP(host) === 6 ? 'ipv6' : 'ipv4'
  const isLoopback = host === 'localhost' || (isIP(host) !== 0 && LOOPBACK.check(host, family))
  if (isLoopback) return []
  const wanted = 'want a loopback address, because the demo signs in whoever asks'
  return [{ source: 'flag --host', message: `found ${JSON.stringify(host)}; ${wanted}` }]
}

const portProblems = (port: string | undefined): Problem[] => {
  if (port === undefined || (/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) return []
  const message = `found ${JSON.stringify(port)}; want a port from 0 to 65535, where 0 is any free one`
  return [{ source: 'flag --port', message }]
}
