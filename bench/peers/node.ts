import { readFileSync } from 'node:fs'
import { HOST } from '../tokens.ts'
import { freePort, launch, type Peer } from './peer.ts'

const installed = (name: string): string =>
  JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  ).version

const nodePeer = (
  name: string,
  version: () => string,
  about: Pick<Peer, 'title' | 'verifies'> & Partial<Peer>,
): Peer => ({
  name,
  available: () => undefined,
  async start(stage) {
    const port = await freePort()
    const program = new URL(`./servers/${name}.ts`, import.meta.url).pathname
    return launch({
      stage,
      name,
      port,
      version: version(),
      command: [process.execPath, '--max-http-header-size=131072', program],
      env: {
        NODE_ENV: 'production',
        PORT: String(port),
        UPSTREAM: `http://127.0.0.1:${stage.upstreamPort}`,
        JWKS_URI: stage.keySetUri,
        EXPECTED: HOST,
      },
    })
  },
  ...about,
})

/** What one would put together in an afternoon from the same packages. */
export const composition = nodePeer(
  'composition',
  () => `fastify ${installed('fastify')}, jose ${installed('jose')}`,
  {
    title: 'Fastify, http-proxy as it comes, jose `jwtVerify`',
    verifies: 'all',
    lacks: 'no log line, no metrics, one spelling of reserved names',
  },
)

export const bare = nodePeer('bare', () => `undici ${installed('undici')}`, {
  title: 'bare `node:http` and `undici.request`, forwarding alone',
  verifies: 'none',
})

export const bareVerify = nodePeer('bare-verify', () => `undici ${installed('undici')}`, {
  title: '`node:http`, `undici.request` and `crypto.verify`: the least in Node',
  verifies: 'all',
  lacks: 'no log line, no metrics, no limits, one spelling of reserved names, keys read once',
})
