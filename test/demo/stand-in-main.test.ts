import { once } from 'node:events'
import t from 'tap'
import { run } from '../e2e/processes.ts'

const PROGRAM = [process.execPath, 'src/demo/stand-in-main.ts'] as const

t.test('says loudly what it is, serves the key set and ends with 0 on SIGTERM', async (t) => {
  const program = run(t, PROGRAM, {
    UNSAFE_STAND_IN_LISTEN: '127.0.0.1:0',
    STAND_IN_ROUTES: 'app.localhost=http://127.0.0.1:1',
  })
  const [, address] = await program.until(
    /^STAND-IN for Pomerium on (\S+)\. It signs in whoever asks: for trying out, never for real use\.$/m,
  )
  const answer = await fetch(`http://${address}/.well-known/pomerium/jwks.json`)
  t.equal(answer.status, 200)
  await answer.body?.cancel()
  t.equal(await program.end('SIGTERM'), 0)
})

t.test('does not start without being told where to listen', async (t) => {
  const program = run(t, PROGRAM, { STAND_IN_ROUTES: 'app.localhost=http://127.0.0.1:1' })
  const [code] = await once(program.child, 'close')
  t.equal(code, 1)
  t.match(program.output(), 'UNSAFE_STAND_IN_LISTEN must be an address and a port')
})
