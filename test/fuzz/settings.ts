import type { Config } from '../../src/config/config.ts'
import { type ReadResult, readConfig } from '../../src/config/read.ts'
import { ConfigError, type Problem } from '../../src/errors.ts'
import { count, type Fuzzer, pureStage } from './fuzzer.ts'
import {
  createSecretSources,
  createSources,
  type Given,
  SECRET,
  sourcesOf,
} from './settings/sources.ts'

/**
 * Settings of all three sources through the reader. It ends in a Config that keeps every promise of its type, or in a
 * ConfigError whose problems each say where, what is wanted and what was found; the same twice; and no secret is shown.
 */
export function settings(read: typeof readConfig = readConfig): Fuzzer {
  return {
    name: 'settings',
    unit: 'settings',
    lanes: 1,
    round: 500,
    open: async () =>
      pureStage((random, tally) => {
        const isSecret = random.chance(15)
        const given = isSecret ? createSecretSources(random) : createSources(random)
        const outcome = readOnce(given, read)
        count(tally, Array.isArray(outcome) ? 'refused' : 'accepted')
        const again = readOnce(given, read)
        const what =
          faultOf(outcome) ??
          (isSecret && shownText(outcome).includes(SECRET) ? 'a secret is shown' : undefined) ??
          (JSON.stringify(outcome) === JSON.stringify(again)
            ? undefined
            : 'another result at the second time')
        return what && `${what}\n  ${JSON.stringify(given)}\n  ${JSON.stringify(outcome)}`
      }),
  }
}

type Outcome = ReadResult | readonly Problem[]

const isProblems = (outcome: Outcome): outcome is readonly Problem[] => Array.isArray(outcome)

function readOnce(given: Given, read: typeof readConfig): Outcome {
  try {
    return read(sourcesOf(given))
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

/** What an operator, a log or a file of settings may show of it. */
const shownText = (outcome: Outcome): string =>
  JSON.stringify(isProblems(outcome) ? outcome : [outcome.values, outcome.warnings])

const faultOf = (outcome: Outcome): string | undefined =>
  isProblems(outcome)
    ? faultOfProblems(outcome)
    : (faultOfConfig(outcome.config) ?? faultOfKeySet(outcome))

const SOURCE =
  /^(c\.yaml(:\d+:\d+)?|absent\.yaml|env( \w{1,100})?|flags?|flag --[\w-]{1,64}|default|not set|route \(.+\)|preset \(.+\))$/

function faultOfProblems(problems: readonly Problem[]): string | undefined {
  if (problems.length === 0) return 'refused without a problem'
  for (const { source, message } of problems) {
    if (!SOURCE.test(source)) return `not a source: ${source}`
    if (!/^\S.* must .+, got .+$/u.test(message)) return `not a problem: ${message}`
    if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(message))
      return `not printable: ${JSON.stringify(message)}`
    if (message.length > 2_000) return 'a problem without an end'
  }
  return undefined
}

const ALGORITHM = /^(ES(256|384|512)|[RP]S(256|384|512)|EdDSA)$/
const NAME = /^(https:\/\/)?(\*\.(?=[^.]))?[^*\s]+$/
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const PATH = /^\/[^\s?#\\*]+$/
const FRAMING =
  /^(host|connection|content-length|transfer-encoding|upgrade|te|trailer|expect|cookie|authorization)$/

/** What every part of the program takes for granted. */
function faultOfConfig(config: Config): string | undefined {
  const { issuers, audiences, algorithms, identityHeaders, publicPaths, statusPath } = config
  const folded = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '-')
  const identity = identityHeaders.map(({ header }) => folded(header))
  const rules: readonly (readonly [what: string, holds: boolean])[] = [
    ['issuers', issuers.length > 0 && issuers.every((name) => NAME.test(name))],
    ['audiences', audiences.length > 0 && audiences.every((name) => NAME.test(name))],
    ['algorithms', algorithms.length > 0 && algorithms.every((name) => ALGORITHM.test(name))],
    ['identity header names', identityHeaders.every(({ header }) => TOKEN.test(header))],
    ['identity header claims', identityHeaders.every(({ claims }) => claims.length > 0)],
    ['identity headers twice', new Set(identity).size === identity.length],
    ['framing as identity', !identity.some((name) => FRAMING.test(name))],
    ['assertion header', TOKEN.test(config.assertionHeader)],
    ['assertion as identity', !identity.includes(folded(config.assertionHeader))],
    ['reserved headers', config.reservedHeaders.every((name) => folded(name) === name)],
    [
      'public paths',
      publicPaths.every((path) => PATH.test(path) && !/\/\.\.?(\/|$)|%2f|%2e/i.test(path)),
    ],
    [
      'status path',
      statusPath === undefined || (PATH.test(statusPath) && !publicPaths.includes(statusPath)),
    ],
    [
      'ports',
      [config.listen, config.adminListen].every(
        (address) => address?.port === undefined || isPort(address.port),
      ),
    ],
    ['upstream', isUpstream(config.upstream)],
    ['clock skew', isWithin(config.clockSkew, 0, 300_000)],
    [
      'times',
      timesOf(config).every((time) => time === undefined || isWithin(time, 0, 2 ** 31 - 1)),
    ],
    ['header size', isWithin(config.maxHeaderSize, 8 * 1024, 1024 * 1024)],
    ['connections', isWithin(config.maxConnections, 1, 1_000_000)],
  ]
  const broken = rules.find(([, holds]) => !holds)
  return broken && `accepted with bad ${broken[0]}`
}

const isWithin = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most

const isPort = (port: number): boolean => isWithin(port, 0, 65_535)

const isUpstream = (upstream: Config['upstream']): boolean =>
  // Only `mode: forward-auth` does without.
  upstream === undefined ||
  (upstream.protocol === 'unix:'
    ? upstream.path.startsWith('/')
    : upstream.hostname !== '' && isWithin(upstream.port, 1, 65_535))

/** Over `http:` whoever changes the traffic makes the keys: only to a neighbour, or when that was asked for. */
function faultOfKeySet({ config: { keySet }, values }: ReadResult): string | undefined {
  if (keySet.kind === 'file') return keySet.path === '' ? 'a key set without a path' : undefined
  const { protocol, hostname } = keySet.uri
  if (protocol === 'https:') return undefined
  const isNear = /^(\[::1\]|127(\.\d+){3}|[^.:[\]]+|([^.]+\.)*localhost\.?)$/.test(hostname)
  const isAsked = values.some(({ name, value }) => name === 'unsafe_http_jwks' && value === 'true')
  return protocol === 'http:' && (isNear || isAsked) ? undefined : `a key set from ${keySet.uri}`
}

const timesOf = (config: Config): readonly (number | undefined)[] => [
  config.keySet.cooldown,
  ...(config.keySet.kind === 'remote'
    ? [config.keySet.timeout, config.keySet.refresh, config.keySet.maxStale]
    : []),
  config.maxAssertionAge,
  config.upstreamConnectTimeout,
  config.upstreamResponseTimeout,
  config.headerTimeout,
  config.bodyIdleTimeout,
  config.keepAliveTimeout,
  config.tunnelMaxAge,
  config.drainDelay,
  config.drainTimeout,
]
