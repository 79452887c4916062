import type { ServerOptions } from 'node:https'
import type { Test } from 'tap'
import { parseCompact } from '../../src/assertion/compact.ts'
import { verifySignature } from '../../src/assertion/signature.ts'
import type { KeySetSource } from '../../src/config/config.ts'
import { RejectedError } from '../../src/errors.ts'
import { createKeySet } from '../../src/key-set/key-set.ts'
import { parseJwkSet } from '../../src/key-set/parse.ts'
import { createRemoteFetch, type RemoteSource } from '../../src/key-set/remote.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { type JwksServer, startJwksServer } from '../helpers/jwks-server.ts'
import { createKey, publicJwk, type SigningKey } from '../helpers/keys.ts'
import { createLogRecorder } from '../helpers/log-recorder.ts'
import { mint } from '../helpers/mint.ts'
import { RULES } from './scripted.ts'

const ALGORITHMS = ['ES256']

export interface RigOptions {
  readonly tls?: ServerOptions
  readonly source?: Partial<Extract<KeySetSource, { kind: 'remote' }>>
}

/**
 * A key set that fetches over a real connection from a scripted endpoint, while its timers hang on a fake clock:
 * an hour of outage passes in the time its fetches take. One good key, published as Pomerium would.
 */
export async function createRig(t: Test, { tls, source }: RigOptions = {}) {
  const server = await startJwksServer(t, tls === undefined ? {} : { tls })
  const clock = createFakeClock(0.5)
  const log = createLogRecorder()
  const outcomes: string[] = []
  const counts = { started: 0, running: 0, most: 0 }
  const fetch = createRemoteFetch({ ...sourceOf(server.uri), ...source })
  const keySet = createKeySet(RULES, {
    time: clock,
    log,
    onFetch: (outcome) => outcomes.push(outcome),
    parse: (text) => parseJwkSet(text, ALGORITHMS),
    fetch: async (etag, signal) => {
      counts.started += 1
      counts.running += 1
      counts.most = Math.max(counts.most, counts.running)
      const result = await fetch(etag, signal)
      counts.running -= 1
      return result
    },
  })
  t.teardown(() => keySet.close())

  /** Waits until no load is under way. */
  const landed = async (): Promise<void> => {
    for (let tries = 0; outcomes.length < counts.started || clock.pending().length === 0; ) {
      tries += 1
      if (tries > 4_000) throw new Error('a load never ended')
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  const good = createKey()
  return {
    server,
    clock,
    log,
    outcomes,
    keySet,
    counts,
    good,
    goodSet: { keys: [publicJwk(good)] },
    landed,
    start: async () => {
      keySet.start()
      await landed()
    },
    /** Lets time pass, with every load that falls due. */
    pass: async (milliseconds: number): Promise<void> => {
      let left = milliseconds
      for (;;) {
        await landed()
        const next = Math.min(clock.pending()[0] ?? left, left)
        await clock.advance(next)
        left -= next
        if (left <= 0) return landed()
      }
    },
    /** What the decision is for an assertion signed with `key`: `200`, or status and code. */
    decide: (key: SigningKey, kid = key.kid) => decide(keySet, mint({ key, header: { kid } })),
    decideText: (assertion: string) => decide(keySet, assertion),
  }
}

export type Rig = Awaited<ReturnType<typeof createRig>>

/** Serves the rig's good set, and loads it. */
export async function warmUp(rig: Rig): Promise<void> {
  rig.server.serve(rig.goodSet)
  await rig.start()
}

async function decide(
  keySet: Parameters<typeof verifySignature>[1]['keySet'],
  assertion: string,
): Promise<string> {
  try {
    await verifySignature(parseCompact(assertion), { keySet, algorithms: ALGORITHMS })
    return '200'
  } catch (error) {
    if (error instanceof RejectedError) return `${error.status} ${error.code}`
    throw error
  }
}

function sourceOf(uri: JwksServer['uri']): RemoteSource {
  return {
    kind: 'remote',
    uri,
    connect: undefined,
    caFiles: [],
    clientCertFile: undefined,
    clientKeyFile: undefined,
    timeout: 5_000,
    refresh: RULES.refresh,
    cooldown: RULES.cooldown,
    maxStale: RULES.maxStale,
  }
}
