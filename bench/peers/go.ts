import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HOST } from '../tokens.ts'
import { freePort, launch, missingProgram, type Peer, versionOf } from './peer.ts'

const VERSION = ['version'] as const
const SOURCE = new URL('./go/', import.meta.url).pathname

export const goJwt: Peer = {
  name: 'go-jwt',
  title: 'Go `httputil.ReverseProxy`, `crypto/ecdsa`',
  verifies: 'all',
  available: () => missingProgram('go', VERSION),
  async start(stage) {
    const port = await freePort()
    const program = join(stage.folder, 'go-jwt')
    if (!existsSync(program)) build(program)
    return launch({
      stage,
      name: 'go-jwt',
      port,
      version: versionOf('go', VERSION),
      command: [
        program,
        ...['-listen', `127.0.0.1:${port}`, '-upstream', `http://127.0.0.1:${stage.upstreamPort}`],
        ...['-jwks', stage.keySetFile, '-expected', HOST],
      ],
      env: { GOMAXPROCS: String(stage.cores.count) },
    })
  },
}

function build(program: string): void {
  const { status, stderr } = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: SOURCE,
    encoding: 'utf8',
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' },
  })
  if (status !== 0) throw new Error(`go build failed:\n${stderr}`)
}
