import { existsSync } from 'node:fs'
import { createSigningKey } from '../../src/demo/signing-key.ts'
import { createStandIn } from '../../src/demo/stand-in.ts'
import { findDemoUser } from '../../src/demo/users.ts'
import type { Owner } from '../helpers/program.ts'
import { type Running, run } from './processes.ts'
import { waitFor } from './requests.ts'

/** The route's host: issuer and audience of every assertion on the stage. */
export const ROUTE_HOST = 'app.example.com'

const PROGRAM = 'dist/cli.js'

export interface Stage {
  /** The stand-in Pomerium: requests that carry a demo user's cookie go through it. */
  readonly front: string
  /** claimgate itself, for those who go around Pomerium. */
  readonly gate: string
  readonly admin: string
  readonly program: Running
  /** A fresh assertion of the demo user. */
  mint(login: string): Promise<string>
}

/** The built claimgate as a process of its own between a stand-in Pomerium and `upstream`, ready for requests. */
export const startStage = async (
  t: Owner,
  upstream: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Stage> => {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is absent: run "npm run build" first`)
  const standIn = createStandIn({ signingKey: await createSigningKey() })
  t.teardown(standIn.close)
  const { port } = await standIn.listen({ host: '127.0.0.1', port: 0 })
  const front = `http://127.0.0.1:${port}`
  const program = run(t, [process.execPath, PROGRAM], {
    CLAIMGATE_UPSTREAM: upstream,
    CLAIMGATE_ISSUER: ROUTE_HOST,
    CLAIMGATE_AUDIENCE: ROUTE_HOST,
    CLAIMGATE_JWKS_URI: `${front}/.well-known/pomerium/jwks.json`,
    CLAIMGATE_LISTEN: '127.0.0.1:0',
    CLAIMGATE_ADMIN_LISTEN: '127.0.0.1:0',
    CLAIMGATE_DRAIN_DELAY: '0s',
    ...env,
  })
  const [line] = await program.until(/^\{.*"msg":"listening".*\}$/m)
  const addresses = JSON.parse(line) as { listen: string; admin_listen: string }
  const [gate, admin] = [`http://${addresses.listen}`, `http://${addresses.admin_listen}`]
  standIn.addRoute({ hosts: [ROUTE_HOST, '127.0.0.1'], upstream: new URL(gate) })
  await waitFor(async () => (await fetch(`${admin}/readyz`)).status === 200)
  return {
    front,
    gate,
    admin,
    program,
    mint: (login) => standIn.mint(ROUTE_HOST, findDemoUser(login)),
  }
}
