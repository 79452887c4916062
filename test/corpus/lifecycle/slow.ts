import { setTimeout as wait } from 'node:timers/promises'
import { readConfig } from '../../../src/config/read.ts'
import { requestBytes } from '../../helpers/claimgate.ts'
import { keepAliveClient } from '../../helpers/keep-alive-client.ts'
import { until } from '../../helpers/program.ts'
import { rawClient } from '../../helpers/raw-client.ts'
import { goodTimes, type Interpreter, isPrompt, only, p99 } from './trial.ts'

/** A fifth of the case's connections, and limits of a second, so that a case takes seconds. */
const CONNECTIONS = 200

const HOUR = 3_600_000

const defaults = readConfig({
  flags: [],
  env: { CLAIMGATE_UPSTREAM: 'http://127.0.0.1:1', CLAIMGATE_ROUTE: 'https://app.example.com' },
  readFile: () => '',
}).config

export const slow: Readonly<Record<string, Interpreter>> = {
  'slow/headers': only(async (trial) => {
    const { start, ok } = trial
    ok(defaults.headerTimeout <= 15_000, `the default is ${defaults.headerTimeout} ms`)
    const program = await start({ CLAIMGATE_HEADER_TIMEOUT: '1s' })
    const usual = p99(await goodTimes(trial, program, 200))
    const clients = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => rawClient(program.port)),
    )
    const started = performance.now()
    for (const client of clients) client.send('GET / HTTP/1.1\r\nHost: a\r\n')
    const drip = setInterval(() => {
      for (const client of clients) client.send('X: y\r\n')
    }, 200)
    const late = p99(await goodTimes(trial, program, 200))
    ok(isPrompt(late, usual), `requests took ${Math.round(late)} ms, before ${Math.round(usual)}`)
    await until(() => clients.every(({ socket }) => socket.closed), 'rid of slow heads', 20_000)
    clearInterval(drip)
    const took = Math.round(performance.now() - started)
    ok(took < 15_000, `they were closed after ${took} ms`)
    const answers = new Set(clients.map((client) => client.received().slice(9, 12)))
    ok([...answers].join() === '408', `they were answered with ${[...answers].join()}`)
  }),
  'slow/read': only(async (trial) => {
    const { issuer, start, ok } = trial
    const program = await start({ CLAIMGATE_BODY_IDLE_TIMEOUT: '1s' })
    await goodTimes(trial, program, 50)
    const before = program.usage()
    const request = () => requestBytes(issuer.assertion(), { line: 'GET /size/20000000 HTTP/1.1' })
    const clients = await Promise.all(Array.from({ length: 40 }, () => rawClient(program.port)))
    for (const client of clients) {
      client.socket.pause()
      client.send(request())
    }
    await until(() => program.usage().descriptors > before.descriptors + 40, 'busy')
    let peak = 0
    await until(
      () => {
        peak = Math.max(peak, program.usage().rss)
        return program.usage().descriptors <= before.descriptors + 2
      },
      'rid of slow readers',
      20_000,
    )
    ok(peak - before.rss < 100, `memory grew by ${Math.round(peak - before.rss)} MB`)
    for (const { socket } of clients) socket.destroy()
  }),
  'slow/idle-keepalive': only(async ({ issuer, start, is, ok }) => {
    ok(defaults.keepAliveTimeout > HOUR, `the default is ${defaults.keepAliveTimeout} ms`)
    const program = await start({ CLAIMGATE_KEEP_ALIVE_TIMEOUT: '1s' })
    const clients = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => keepAliveClient(program)),
    )
    const errors: unknown[] = []
    for (const { socket } of clients) socket.on('error', (error) => errors.push(error))
    await Promise.all(clients.map((client) => client.ask(requestBytes(issuer.assertion()))))
    await wait(500)
    is(clients.filter((client) => client.isOpen()).length, CONNECTIONS, 'open before the limit')
    await until(() => clients.every(({ socket }) => socket.closed), 'rid of idle ones', 5_000)
    is(errors.length, 0, 'resets')
  }),
}
