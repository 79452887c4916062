import { once } from 'node:events'
import { drainRound } from '../../e2e/drain-round.ts'
import { requestBytes } from '../../helpers/claimgate.ts'
import { keepAliveClient } from '../../helpers/keep-alive-client.ts'
import { pause, startProgram } from '../../helpers/program.ts'
import { type Interpreter, only } from './trial.ts'

/** A fifth of the case's 8 s. */
const SLOW = 1_600

export const drain: Readonly<Record<string, Interpreter>> = {
  'drain/sigterm-load': {
    appDelay: 20,
    run: async ({ t, issuer, app, is, ok }) => {
      const result = await drainRound(t, {
        issuer,
        app,
        delay: '2s',
        connections: 20,
        webSockets: 0,
        lead: 400,
        reconnect: 'while ready',
      })
      ok(result.answered > 20, `only ${result.answered} requests were answered`)
      is(result.lost.join(), '', 'what was lost')
      is(result.exitCode, 0, 'the exit code')
      ok(result.duration < 10_000, `it took ${result.duration} ms`)
    },
  },
  'drain/sigterm-slow': {
    appDelay: SLOW,
    run: async ({ start, issuer, is, ok }) => {
      const program = await start()
      const client = await keepAliveClient(program)
      const answer = client.ask(requestBytes(issuer.assertion()))
      await pause(200)
      program.child.kill('SIGTERM')
      const { status, isLast } = await answer
      const answered = performance.now()
      is(status, 200, 'the status')
      is(isLast, true, 'whether it says close')
      const { code, at } = await program.exit
      is(code, 0, 'the exit code')
      ok(at - answered < 500, `it ended ${Math.round(at - answered)} ms after the answer`)
    },
  },
  'drain/sigterm-idle': only(async ({ start, issuer, is, ok }) => {
    const program = await start()
    const clients = await Promise.all(Array.from({ length: 50 }, () => keepAliveClient(program)))
    await Promise.all(clients.map((client) => client.ask(requestBytes(issuer.assertion()))))
    const signalled = performance.now()
    program.child.kill('SIGTERM')
    const { code, at } = await program.exit
    is(code, 0, 'the exit code')
    ok(at - signalled < 1_000, `it took ${Math.round(at - signalled)} ms`)
  }),
  'drain/sigterm-sse': only(async ({ start, issuer, is, ok }) => {
    const program = await start({ CLAIMGATE_DRAIN_TIMEOUT: '1500ms' })
    const events = requestBytes(issuer.assertion(), { line: 'GET /events HTTP/1.1' })
    const streams = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const client = await keepAliveClient(program)
        client.ask(events).catch(() => undefined)
        await once(client.socket, 'data')
        return client
      }),
    )
    const signalled = performance.now()
    program.child.kill('SIGTERM')
    const { code, at } = await program.exit
    is(code, 0, 'the exit code')
    const took = Math.round(at - signalled)
    ok(took >= 1_400 && took < 2_500, `it took ${took} ms`)
    for (const { socket } of streams) socket.destroy()
  }),
  'drain/sigterm-during-start': only(async ({ t, issuer, env, is, ok }) => {
    issuer.server().answer(() => undefined)
    const program = await startProgram(t, { env })
    is(await program.isReady(), false, 'whether it is ready')
    const signalled = performance.now()
    program.child.kill('SIGTERM')
    const { code, at } = await program.exit
    is(code, 0, 'the exit code')
    ok(at - signalled < 1_000, `it took ${Math.round(at - signalled)} ms`)
  }),
}
