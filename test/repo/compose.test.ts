import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { imageOptions } from '../../bench/peers/claimgate.ts'
import { readConfig } from '../../src/config/read.ts'
import { readStandInSettings } from '../../src/demo/stand-in-settings.ts'

interface Service {
  readonly image: string
  readonly environment?: Record<string, string>
  readonly entrypoint?: readonly string[]
  readonly ports?: readonly string[]
  readonly networks: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
}

interface Compose {
  readonly services: Record<string, Service>
  readonly networks: Record<string, { readonly internal?: boolean } | null>
}

interface PomeriumRoute {
  readonly from: string
  readonly to: string
  readonly pass_identity_headers: boolean
}

const readYaml = (path: string): unknown => parse(readFileSync(path, 'utf8'), { merge: true })

const APPS = ['httpbin', 'grafana']
const settingsOf = (service: Service | undefined) =>
  readConfig({
    flags: [],
    env: service?.environment ?? {},
    readFile: (path) => readFileSync(path, 'utf8'),
  }).config

for (const file of ['docker-compose.yml', 'docker-compose.pomerium.yml']) {
  const { services, networks } = readYaml(file) as Compose

  t.test(`${file}: an app is reachable through its claimgate only`, async (t) => {
    for (const app of APPS) {
      t.strictSame(services[app]?.networks, [app])
      t.equal(networks[app]?.internal, true)
      t.notOk(services[app]?.ports, `${app} publishes no port`)
      const members = Object.keys(services).filter((name) => services[name]?.networks.includes(app))
      t.strictSame(members.sort(), [app, `claimgate-${app}`].sort())
    }
  })

  t.test(`${file}: what is published is published on loopback`, async (t) => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? [])
    t.ok(ports.length > 0)
    for (const port of ports) t.match(port, /^127\.0\.0\.1:\d+:\d+$/)
  })

  t.test(`${file}: each claimgate has good settings and an audience of its own`, async (t) => {
    const audiences = APPS.map((app) => {
      const config = settingsOf(services[`claimgate-${app}`])
      t.match(config.upstream, { protocol: 'http:', hostname: app })
      t.equal(config.audiences.length, 1)
      return config.audiences[0]
    })
    t.equal(new Set(audiences).size, APPS.length)
  })

  t.test(`${file}: our containers have no privileges and no writable root`, async (t) => {
    const ours = Object.values(services).filter(({ image }) => image === 'claimgate')
    t.ok(ours.length >= APPS.length)
    for (const service of ours) {
      t.match(service, {
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
    }
  })

  t.test(`${file}: Grafana reads the headers that the preset sends`, async (t) => {
    const sent = settingsOf(services['claimgate-grafana']).identityHeaders.map(
      ({ header }) => header,
    )
    const env = services['grafana']?.environment ?? {}
    const read = [
      env['GF_AUTH_PROXY_HEADER_NAME'] ?? '',
      ...(env['GF_AUTH_PROXY_HEADERS'] ?? '').split(' ').map((pair) => pair.replace(/^\w+:/, '')),
    ]
    t.strictSame(read.sort(), [...sent].sort())
  })
}

t.test('the stand-in leads each host to the claimgate with that audience', async (t) => {
  const { services } = readYaml('docker-compose.yml') as Compose
  const { routes, listen } = readStandInSettings(services['stand-in']?.environment ?? {})
  t.equal(services['stand-in']?.entrypoint?.at(-1), 'dist/demo/stand-in-main.js')
  t.equal(routes.length, APPS.length)
  for (const { hosts, upstream } of routes) {
    const config = settingsOf(services[upstream.hostname])
    t.strictSame(config.audiences, hosts)
    t.strictSame(config.issuers, hosts)
    t.equal(Number(upstream.port), config.listen.port)
    t.match(config.keySet, {
      kind: 'remote',
      uri: { href: `http://stand-in:${listen.port}/.well-known/pomerium/jwks.json` },
    })
  }
})

t.test("Pomerium's routes are those of the claimgates, with identity headers on", async (t) => {
  const { services } = readYaml('docker-compose.pomerium.yml') as Compose
  const { routes } = readYaml('deploy/pomerium/config.yaml') as { routes: PomeriumRoute[] }
  t.equal(routes.length, APPS.length)
  for (const { from, to, pass_identity_headers } of routes) {
    t.equal(pass_identity_headers, true)
    const service = services[new URL(to).hostname]
    t.equal(service?.environment?.['CLAIMGATE_ROUTE'], from)
    t.match(settingsOf(service).keySet, {
      uri: { href: `${from}/.well-known/pomerium/jwks.json` },
      connect: { host: 'pomerium', port: 443 },
      caFiles: ['/etc/claimgate/ca.pem'],
    })
  }
})

t.test('the image runs as an unprivileged number, without a shell', async (t) => {
  const dockerfile = readFileSync('Dockerfile', 'utf8')
  const final = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  t.match(final, /^FROM gcr\.io\/distroless\//m)
  t.match(final, /^USER 65532:65532$/m)
  t.match(final, /^STOPSIGNAL SIGTERM$/m)
  t.match(final, /^ENTRYPOINT \["\/nodejs\/bin\/node", .*"\/app\/dist\/cli\.js"\]$/m)
  t.match(final, /^HEALTHCHECK [^\n]*\\\n {2}CMD \["\/nodejs\/bin\/node", /m)
  t.notMatch(final, /^RUN /m)
})

t.test('`npm start` gives Node what the image gives it, but no share of a container', async (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  const options = imageOptions(readFileSync('Dockerfile', 'utf8')).filter(
    (option) => !option.startsWith('--max-old-space-size-percentage='),
  )
  t.equal(scripts.start, `npm run -s build && node ${options.join(' ')} dist/cli.js`)
})

t.test('the image says what it is and what it is made of', async (t) => {
  const dockerfile = readFileSync('Dockerfile', 'utf8')
  const final = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  for (const label of ['title', 'description', 'licenses', 'version', 'revision'])
    t.match(final, `org.opencontainers.image.${label}=`)
  t.match(final, /^COPY --from=build \/app\/sbom\.cdx\.json \.\/$/m)
  t.match(dockerfile, 'npm sbom --omit=dev ')
  t.match(dockerfile, /^FROM --platform=\$BUILDPLATFORM /m, 'one build stage for every platform')
})

t.test('the bundle of the image has every program that is started in it', async (t) => {
  const bundled = readFileSync('scripts/bundle.ts', 'utf8')
  for (const file of ['Dockerfile', 'docker-compose.yml', 'scripts/image/pod.ts'])
    for (const [program] of readFileSync(file, 'utf8').matchAll(/dist\/[\w/-]+\.js/g))
      t.ok(bundled.includes(`'${program}'`), `${program} of ${file}`)
})
