import { once } from 'node:events'
import { requestBytes } from '../../helpers/claimgate.ts'
import { startJwksServer } from '../../helpers/jwks-server.ts'
import { createKey, publicJwk } from '../../helpers/keys.ts'
import { mint, NOW } from '../../helpers/mint.ts'
import { statusOf } from '../../helpers/raw-client.ts'
import { type Interpreter, type RequestShape, type Trial, within } from '../upstream/trial.ts'
import { createApp } from './app.ts'
import { echoing, HANDSHAKE, opening, openRaw, openSocket, tunnelled } from './trial.ts'

/** The bytes are answered with one of these, nothing of them goes upstream, and the connection ends. */
function refused(
  bytes: (trial: Trial) => string,
  statuses: readonly number[] = [401],
): Interpreter {
  return {
    script: echoing,
    run: async (trial) => {
      const { stage, ok, is } = trial
      const client = await stage.connect()
      client.send(bytes(trial))
      const answer = await client.untilClose()
      ok(statuses.includes(statusOf(answer)), `the status is ${statusOf(answer)}`)
      is(stage.upstream.connections(), 0, 'connections to the upstream')
    },
  }
}

const handshake = (stage: Trial['stage'], request: RequestShape = {}): string =>
  stage.bytes({ ...request, lines: [...(request.lines ?? []), ...HANDSHAKE] })

/** No tunnel: neither is 101 answered, nor do later bytes arrive. */
async function noTunnel({ stage, ok }: Trial, bytes: string): Promise<void> {
  const client = await stage.connect()
  client.send(`${bytes}FRAMES`)
  const answer = await client.until(/\r\n\r\n/).catch(() => client.received())
  ok(!answer.startsWith('HTTP/1.1 101'), 'a tunnel was opened')
  ok(!stage.upstream.received().some((text) => text.includes('FRAMES')), 'frames arrived')
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  'too short': ['Sec-WebSocket-Key: c2hvcnQ='],
  missing: [],
  twice: HANDSHAKE.slice(3).concat('Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA=='),
}

/** An upstream that takes every handshake would open a tunnel for a bad key, so a real server is asked. */
function badKey(): Interpreter {
  const app = createApp()
  return {
    script: app.script,
    run: async (trial) => {
      for (const [name, lines] of Object.entries(KEYS)) {
        const client = await trial.stage.connect()
        client.send(trial.stage.bytes({ lines: [...HANDSHAKE.slice(0, 3), ...lines] }))
        const answer = await client.untilClose()
        trial.is(statusOf(answer), 400, `the answer to a key that is ${name}`)
      }
      trial.is(app.handshakes.length, 0, 'tunnels')
    },
  }
}

function good(): Interpreter {
  const app = createApp()
  return {
    script: app.script,
    run: async ({ stage, is, ok }) => {
      const socket = await openSocket(stage, { Origin: 'https://app.example.com' })
      is(socket.protocol, 'chat', 'the subprotocol')
      ok(socket.extensions.includes('permessage-deflate'), `extensions: ${socket.extensions}`)
      socket.send('hello')
      const [data] = await once(socket, 'message')
      is(String(data), 'hello', 'the echo')
      const { url, headers } = app.handshakes[0] ?? {}
      is(url, '/live?a=1', 'the target')
      is(headers?.['x-pomerium-claim-email'], 'ann@example.com', 'the identity')
      is(headers?.['x-pomerium-jwt-assertion'], undefined, 'the assertion upstream')
      const closed = once(socket, 'close')
      socket.close(4001, 'done')
      is((await closed)[0], 4001, 'the close code')
    },
  }
}

function originKept(): Interpreter {
  const app = createApp()
  return {
    script: app.script,
    run: async ({ stage, is }) => {
      const socket = await openSocket(stage, {
        Origin: 'https://evil.example',
        Host: 'app.example',
      })
      is(app.handshakes[0]?.headers.origin, 'https://evil.example', 'the Origin upstream')
      is(app.handshakes[0]?.headers.host, 'app.example', 'the Host upstream')
      socket.terminate()
    },
  }
}

/** The upgrade waits for a refresh of the key set that does not come; its client resets meanwhile. */
const rstDuringVerify: Interpreter = {
  script: echoing,
  keySet: async (t) => {
    const key = createKey()
    const server = await startJwksServer(t)
    server.serve({ keys: [publicJwk(key)] })
    return { server, key }
  },
  run: async ({ stage, is, ok, keySet }) => {
    const unknown = createKey()
    keySet?.server.answer(() => undefined)
    const asked = keySet?.server.requests.length ?? 0
    for (let i = 0; i < 20; i++) {
      const client = await stage.connect()
      client.send(requestBytes(mint({ key: unknown }), { lines: HANDSHAKE }))
      ok(
        await within(2_000, () => (keySet?.server.requests.length ?? 0) > asked),
        'the key set was not asked for',
      )
      client.socket.resetAndDestroy()
    }
    is(stage.upstream.connections(), 0, 'connections to the upstream')
    keySet?.server.serve({ keys: [publicJwk(keySet.key)] })
  },
}

export const handshakes: Readonly<Record<string, Interpreter>> = {
  'handshake/good': good(),
  'handshake/expired': refused(({ stage }) =>
    requestBytes(mint({ key: stage.gate.key, now: NOW - 3600 }), { lines: HANDSHAKE }),
  ),
  'handshake/two-tokens': refused(
    ({ stage }) =>
      handshake(stage, { lines: [`X-Pomerium-Jwt-Assertion: ${stage.gate.assertion()}`] }),
    [400, 401],
  ),
  'handshake/query-token': refused(({ stage }) => {
    const query = `?X-Pomerium-Jwt-Assertion=${stage.gate.assertion()}`
    return requestBytes(undefined, { line: `GET /t${query} HTTP/1.1`, lines: HANDSHAKE })
  }),
  'handshake/origin-kept': originKept(),
  'handshake/spoof': {
    script: echoing,
    run: async ({ stage, ok, is }) => {
      const client = await stage.connect()
      const lines = ['X-Pomerium-Claim-Email: mallory', 'x_pomerium_claim_email: mallory']
      client.send(handshake(stage, { lines }))
      await client.until('HTTP/1.1 101 ')
      const [head = ''] = stage.upstream.received()
      ok(!head.includes('mallory'), 'the spoofed field arrived')
      is(head.match(/^x-pomerium-claim-email: /gim)?.length, 1, 'Email fields')
    },
  },
  'handshake/bad-key': badKey(),
  'handshake/post': {
    script: echoing,
    run: async (trial) => {
      const bytes = handshake(trial.stage, { line: 'POST /t HTTP/1.1' })
      const client = await trial.stage.connect()
      client.send(bytes)
      const answer = await client.untilClose()
      trial.ok([400, 405].includes(statusOf(answer)), `the status is ${statusOf(answer)}`)
      await noTunnel(trial, bytes)
    },
  },
  'handshake/body': refused(
    ({ stage }) =>
      handshake(stage, {
        lines: ['Content-Length: 39'],
        body: 'GET /smuggled HTTP/1.1\r\nHost: a\r\nA: bc\r\n\r\n',
      }),
    [400],
  ),
  'handshake/rst-during-verify': rstDuringVerify,
  'handshake/dotdot': {
    script: echoing,
    run: async ({ stage, ok }) => {
      await openRaw(stage, '/a/../../b')
      const [head = ''] = stage.upstream.received()
      ok(head.startsWith('GET /a/../../b HTTP/1.1\r\n'), `the target is ${head.split('\r\n', 1)}`)
    },
  },
  'handshake/early-frames': {
    script: echoing,
    run: async ({ stage, is, ok }) => {
      const client = await stage.connect()
      client.send(`${handshake(stage)}first `)
      client.send('second')
      await client.until(/first second$/)
      is(tunnelled(client), 'first second', 'the echo')
      stage.upstream.follow((socket) => {
        socket.once('data', () => socket.write('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'))
      })
      const other = await stage.connect()
      other.send(`${handshake(stage)}EARLY`)
      is(statusOf(await other.untilClose()), 403, 'the refusal of the upstream')
      ok(!stage.upstream.received().some((text) => text.includes('EARLY')), 'frames arrived')
    },
  },
  'handshake/upgrade-unknown': {
    script: opening(),
    run: async (trial) => {
      const lines = ['Connection: Upgrade', 'Upgrade: foo']
      await noTunnel(trial, trial.stage.bytes({ lines }))
      const heads = trial.stage.upstream.received().join('')
      trial.ok(!/upgrade/i.test(heads), 'the Upgrade was passed on')
    },
  },
  'handshake/list': {
    script: echoing,
    run: async ({ stage, is }) => {
      const client = await stage.connect()
      client.send(
        stage.bytes({ lines: ['Connection: keep-alive, Upgrade', ...HANDSHAKE.slice(1)] }),
      )
      await client.until('HTTP/1.1 101 ')
      client.send('ping')
      await client.until(/ping$/)
      is(tunnelled(client), 'ping', 'the echo')
    },
  },
}
