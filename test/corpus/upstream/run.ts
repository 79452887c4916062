import type { Socket } from 'node:net'
import type { Test } from 'tap'
import type { Config, KeySetSource } from '../../../src/config/config.ts'
import { type RunningClaimgate, requestBytes, startClaimgate } from '../../helpers/claimgate.ts'
import { type Case, runCorpus } from '../../helpers/corpus.ts'
import { NOW_MS } from '../../helpers/mint.ts'
import { type RawClient, rawClient, statusOf } from '../../helpers/raw-client.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import {
  healthy,
  type Interpreter,
  isAnswered,
  type KeySetEndpoint,
  openSockets,
  type RequestShape,
  type ScriptedUpstream,
  type Stage,
  type Trial,
  within,
} from './trial.ts'

/** Runs the cases of a scenario file that have an interpreter; `excuses` say why the others have none. */
export async function runInterpreters(
  t: Test,
  file: string,
  interpreters: Readonly<Record<string, Interpreter>>,
  excuses: Readonly<Record<string, string>> = {},
): Promise<void> {
  await runCorpus<{ readonly cases: readonly Case[] }>(t, file, async ({ cases }, tally) => {
    for (const { id } of cases) {
      const interpreter = interpreters[id]
      if (interpreter === undefined) {
        tally.notRun += 1
        t.comment(`not run: ${id}: ${excuses[id] ?? 'no interpreter'}`)
        continue
      }
      tally.ran += 1
      await t.test(id, async (t) => {
        const deviations = await runTrial(t, interpreter)
        t.same(deviations, [])
        tally.deviations.push(...deviations.map((deviation) => `${id}: ${deviation}`))
      })
    }
  })
}

/** Runs one case; resolves with what deviated. Afterwards a healed upstream is reached and no descriptor is left. */
async function runTrial(t: Test, interpreter: Interpreter): Promise<string[]> {
  const deviations: string[] = []
  const ok: Trial['ok'] = (holds, what) => {
    if (!holds) deviations.push(what)
  }
  const is: Trial['is'] = (actual, wanted, what) =>
    ok(actual === wanted, `${what} is ${actual}, not ${wanted}`)
  const upstream = await scripted(t)
  const elsewhere = await interpreter.elsewhere?.(t)
  const keySet = await interpreter.keySet?.(t)
  const clock = { now: NOW_MS }
  const gate = await startClaimgate(
    t,
    elsewhere?.port ?? upstream.port,
    settingsOf(interpreter, keySet),
    {
      now: () => clock.now,
      ...(keySet === undefined ? {} : { key: keySet.key }),
    },
  )
  const clients: RawClient[] = []
  const stage = createStage(gate, upstream, clients)
  const before = openSockets()
  upstream.follow(interpreter.script ?? healthy)
  const heal = async () => (await elsewhere?.heal()) ?? 0
  await interpreter.run({ t, ok, is, stage, clock, keySet, heal })
  for (const client of clients) client.socket.destroy()
  upstream.follow(healthy)
  for (const socket of upstream.open) socket.destroy()
  if (interpreter.endsClaimgate !== true) {
    await heal()
    is(statusOf(await stage.ask()), 200, 'a good request through the healed upstream')
  }
  for (const { socket } of clients) socket.destroy()
  for (const socket of upstream.open) socket.destroy()
  const isBack = await within(5_000, () => openSockets() <= before)
  ok(isBack, `${openSockets() - before} sockets are left open`)
  return deviations
}

function settingsOf(
  { settings }: Interpreter,
  keySet: KeySetEndpoint | undefined,
): Partial<Config> {
  return { ...settings, ...(keySet === undefined ? {} : { keySet: remote(keySet.server.uri) }) }
}

const remote = (uri: URL): KeySetSource => ({
  kind: 'remote',
  uri,
  connect: undefined,
  caFiles: [],
  clientCertFile: undefined,
  clientKeyFile: undefined,
  timeout: 5_000,
  refresh: 60_000,
  cooldown: 10_000,
  maxStale: 86_400_000,
})

async function scripted(t: Test): Promise<ScriptedUpstream> {
  let current = healthy
  const open = new Set<Socket>()
  const upstream = await rawUpstream((socket, received) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    current(socket, received)
  })
  t.teardown(() => upstream.close())
  return {
    ...upstream,
    open,
    follow: (script) => {
      current = script
    },
    count: (line) => upstream.received().join('\r\n').split(`${line} HTTP/1.1\r\n`).length - 1,
  }
}

function createStage(
  gate: RunningClaimgate,
  upstream: ScriptedUpstream,
  clients: RawClient[],
): Stage {
  const connect = async () => {
    const client = await rawClient(gate.port)
    clients.push(client)
    return client
  }
  const bytes = (request?: RequestShape) => requestBytes(gate.assertion(), request)
  return {
    gate,
    upstream,
    connect,
    bytes,
    async ask(request) {
      const client = await connect()
      const text = bytes(request)
      client.send(text)
      const method = text.slice(0, text.indexOf(' '))
      return client
        .until((received) => isAnswered(received, [method]))
        .catch(() => client.received())
    },
  }
}
