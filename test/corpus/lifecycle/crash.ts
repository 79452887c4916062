import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { startApp } from '../../e2e/app.ts'
import { requestBytes } from '../../helpers/claimgate.ts'
import { keepAliveClient } from '../../helpers/keep-alive-client.ts'
import { pause, programOf, spawnProgram, startProgram, until } from '../../helpers/program.ts'
import { rawClient } from '../../helpers/raw-client.ts'
import { inParallel } from '../wire/in-parallel.ts'
import { allAttacks } from './attacks.ts'
import { goodTimes, type Interpreter, isPrompt, only, p99, type Trial } from './trial.ts'

/** A tenth of the case's picks; `npm run fuzz` does more, and with changed bytes. */
const PICKS = 1_000

const uncaught = only(async (trial) => {
  const { issuer, start, ask, is, ok, t } = trial
  const program = await start({ CLAIMGATE_LOG_LEVEL: 'debug' })
  const now = Math.floor(Date.now() / 1000)
  const attacks = allAttacks({ assertion: () => issuer.assertion(), key: issuer.key(), now })
  const picks = Array.from({ length: PICKS }, () => {
    const attack = attacks[Math.floor(Math.random() * attacks.length)]
    return { bytes: attack?.bytes ?? '', patience: Math.random() * 40 }
  })
  await inParallel(picks, 32, async ({ bytes, patience }) => {
    const client = await rawClient(program.port)
    client.send(bytes)
    await Promise.race([once(client.socket, 'close'), pause(patience)]).catch(() => undefined)
    if (patience > 20) client.socket.resetAndDestroy()
    else client.socket.destroy()
  })
  is(program.child.exitCode, null, 'the exit code')
  ok(!program.output().includes('uncaught fault'), 'a fault was not caught')
  ok(!program.output().includes('internal error'), 'a fault of ours was answered with 500')
  is((await ask(program)).status, 200, 'a good request')
  t.comment(`${attacks.length} cases, ${PICKS} picks`)
})

/** Longer than 2 KiB in the log. */
const LONG_LINE = `GET /${'p'.repeat(2048)} HTTP/1.1`

const stdoutSlow = only(async (trial) => {
  const { t, env, issuer, is, ok } = trial
  const { child, exit } = spawnProgram(t, { env })
  let output = ''
  child.stderr?.resume()
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  const listening = () => /^\{.*"msg":"listening".*\}$/m.exec(output)?.[0]
  await until(() => listening() !== undefined, 'listening', 30_000)
  const program = programOf(child, exit, { addresses: listening() ?? '', output: () => output })
  await program.untilReady()
  const usual = p99(await goodTimes(trial, program, 300))
  child.stdout?.pause()
  await inParallel(Array.from({ length: 8 }), 8, async () => {
    const client = await keepAliveClient(program)
    for (let i = 0; i < 300; i++)
      await client.ask(requestBytes(issuer.assertion(), { line: LONG_LINE }))
    client.end()
  })
  const late = p99(await goodTimes(trial, program, 300))
  ok(isPrompt(late, usual), `requests took ${Math.round(late)} ms, before ${Math.round(usual)} ms`)
  child.stdout?.resume()
  await until(() => output.includes('"msg":"log lines dropped"'), 'told what was dropped')
  is(child.exitCode, null, 'the exit code')
})

const fdLimit = only(async ({ start, ask, is, ok }) => {
  const program = await start({}, { before: 'ulimit -n 256' })
  const sockets: Socket[] = []
  for (let i = 0; i < 1_000; i++)
    sockets.push(connect(program.port, '127.0.0.1').on('error', () => undefined))
  await until(() => program.usage().descriptors >= 250, 'out of descriptors')
  await pause(300)
  is(program.child.exitCode, null, 'the exit code')
  for (const socket of sockets) socket.destroy()
  await until(() => program.usage().descriptors < 60, 'rid of them')
  is((await ask(program)).status, 200, 'a good request')
  ok(await program.isReady(), 'it is not ready any more')
})

async function portTaken({ t, env, start, is, ok }: Trial): Promise<void> {
  const { port } = await start()
  const { child, exit } = spawnProgram(t, {
    env: { ...env, CLAIMGATE_LISTEN: `127.0.0.1:${port}` },
  })
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  is((await exit).code, 1, 'the exit code')
  ok(/^claimgate: [^\n]*EADDRINUSE[^\n]*\n$/.test(errors), `stderr: ${errors}`)
}

async function ipv6Only({ t, env, issuer, is }: Trial): Promise<void> {
  const app = await startApp(t, { host: '::1' })
  const listen = { CLAIMGATE_LISTEN: '[::1]:0', CLAIMGATE_UPSTREAM: `http://[::1]:${app.port}` }
  const program = await startProgram(t, { env: { ...env, ...listen } })
  await program.untilReady()
  const client = await keepAliveClient({ port: program.port, host: '::1' })
  is((await client.ask(requestBytes(issuer.assertion()))).status, 200, 'the status')
  client.end()
}

export const crash: Readonly<Record<string, Interpreter>> = {
  'crash/uncaught': uncaught,
  'crash/stdout-slow': stdoutSlow,
  'crash/fd-limit': fdLimit,
  'crash/port-taken': only(portTaken),
  'crash/ipv6-only': only(ipv6Only),
}
