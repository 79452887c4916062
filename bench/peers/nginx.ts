import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from '../stage.ts'
import { HOST } from '../tokens.ts'
import { freePort, launch, missingProgram, outputOf, type Peer, versionOf } from './peer.ts'

const VERSION = ['-v'] as const
const SOURCE = new URL('./nginx-verify.lua', import.meta.url)

/** Where nginx keeps its loadable modules, as it was built. */
const modulesFolder = (): string =>
  /--modules-path=(\S+)/.exec(outputOf('nginx', ['-V']) ?? '')?.[1] ?? 'modules'

interface Parts {
  readonly modules?: string
  readonly http?: string
  readonly location?: string
}

function configuration(port: number, stage: Stage, { modules, http, location }: Parts): string {
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${stage.folder}/nginx-${name};`)
    .join('\n')
  return `${modules ?? ''}
${user}
daemon off;
worker_processes ${stage.cores.count};
worker_rlimit_nofile 20000;
pid ${stage.folder}/nginx-${port}.pid;
error_log stderr error;
events { worker_connections 16000; multi_accept on; }
http {
  access_log off;
  server_tokens off;
  tcp_nodelay on;
  keepalive_timeout 1h;
  keepalive_requests 2000000000;
  large_client_header_buffers 8 64k;
  client_max_body_size 0;
  proxy_request_buffering off;
  # The largest answer here stays in memory.
  proxy_max_temp_file_size 0;
${folders}
  upstream app {
    server 127.0.0.1:${stage.upstreamPort};
    keepalive 256; keepalive_timeout 1h; keepalive_requests 2000000000;
  }
  map $http_upgrade $connection_field { default upgrade; '' ''; }
${http ?? ''}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_http_version 1.1;
      proxy_set_header Connection $connection_field;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Host $host;
${location ?? ''}
      proxy_pass http://app;
    }
  }
}
`
}

function luaParts(stage: Stage): Parts {
  const folder = join(stage.folder, 'lua')
  mkdirSync(folder, { recursive: true })
  const settings = { KEY_FILE: stage.publicKeyFile, KID: stage.key.kid, EXPECTED: HOST }
  const module = Object.entries(settings).reduce(
    (text, [name, value]) => text.replaceAll(`@${name}@`, value),
    readFileSync(SOURCE, 'utf8'),
  )
  writeFileSync(join(folder, 'verify.lua'), module)
  const modules = modulesFolder()
  return {
    modules: `load_module ${modules}/ndk_http_module.so;\nload_module ${modules}/ngx_http_lua_module.so;`,
    http: `  lua_package_path "${folder}/?.lua;/usr/share/lua/5.1/?.lua;;";\n  init_by_lua_block { require("verify") }`,
    location: '      access_by_lua_block { require("verify").access() }',
  }
}

const start =
  (name: string, partsOf: (stage: Stage) => Parts): Peer['start'] =>
  async (stage) => {
    const port = await freePort()
    const file = join(stage.folder, `${name}.conf`)
    writeFileSync(file, configuration(port, stage, partsOf(stage)))
    const command = ['nginx', '-e', 'stderr', '-p', stage.folder, '-c', file] as const
    return launch({
      stage,
      name,
      port,
      version: versionOf('nginx', VERSION),
      command: [...command],
    })
  }

/** Loads what the peer needs, and asks nginx itself. */
function missingLua(): string | undefined {
  const missing = missingProgram('nginx', VERSION)
  if (missing !== undefined) return missing
  const modules = modulesFolder()
  const load = ['ndk_http_module', 'ngx_http_lua_module']
    .map((module) => `load_module ${modules}/${module}.so;`)
    .join(' ')
  const said = outputOf('nginx', ['-t', '-e', 'stderr', '-c', '/dev/null', '-g', load]) ?? ''
  return /dlopen/.test(said) ? 'nginx has no Lua module' : undefined
}

export const nginxLua: Peer = {
  name: 'nginx-lua',
  title: 'nginx, Lua with FFI on libcrypto',
  verifies: 'all',
  lacks: 'key from a PEM file: no key set, no rotation',
  available: missingLua,
  start: start('nginx-lua', luaParts),
}

export const nginx: Peer = {
  name: 'nginx',
  title: 'nginx `proxy_pass`, forwarding alone',
  verifies: 'none',
  available: () => missingProgram('nginx', VERSION),
  start: start('nginx', () => ({})),
}
