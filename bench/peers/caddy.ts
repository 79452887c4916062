import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, launch, missingProgram, type Peer, versionOf } from './peer.ts'

const VERSION = ['version'] as const

export const caddy: Peer = {
  name: 'caddy',
  title: 'Caddy `reverse_proxy`, forwarding alone',
  verifies: 'none',
  available: () => missingProgram('caddy', VERSION),
  async start(stage) {
    const port = await freePort()
    const file = join(stage.folder, 'Caddyfile')
    writeFileSync(
      file,
      `{
  admin off
  auto_https off
}
http://app.example.com:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${stage.upstreamPort}
}
`,
    )
    return launch({
      stage,
      name: 'caddy',
      port,
      version: versionOf('caddy', VERSION),
      command: ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'],
      env: { GOMAXPROCS: String(stage.cores.count), XDG_DATA_HOME: stage.folder },
    })
  },
}
