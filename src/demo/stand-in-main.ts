/**
 * The stand-in Pomerium as a program of its own, for docker-compose.yml: `node dist/demo/stand-in-main.js`.
 * No command of claimgate leads here. It signs in whoever asks, and in a container it cannot listen on loopback,
 * so whoever starts it must say so with UNSAFE_STAND_IN_LISTEN and must publish the port on loopback only.
 */
import { createSigningKey } from './signing-key.ts'
import { createStandIn } from './stand-in.ts'
import { readStandInSettings } from './stand-in-settings.ts'

const { listen, routes, signingKey } = readStandInSettings(process.env)
const standIn = createStandIn({ signingKey: await createSigningKey(signingKey) })
for (const route of routes) standIn.addRoute(route)
const { address, port } = await standIn.listen(listen)
process.stderr.write(
  `STAND-IN for Pomerium on ${address}:${port}. It signs in whoever asks: for trying out, never for real use.\n`,
)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void standIn.close()
  })
}
