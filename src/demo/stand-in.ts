import { Agent, type IncomingMessage } from 'node:http'
import { forward, type Onward } from './forward.ts'
import { createKeySetEndpoint, KEY_SET_PATH } from './key-set-endpoint.ts'
import { type Answers, createListener, type Listener } from './listener.ts'
import { createMint, type Mint } from './mint.ts'
import { demoCookie, forwardedHeaders } from './request-headers.ts'
import { answerSignIn, isSignInPath, SIGN_IN_PATH } from './sign-in.ts'
import type { SigningKey } from './signing-key.ts'
import { refuseUpgrade, tunnel } from './tunnel.ts'
import { findDemoUser } from './users.ts'

/** One way through the stand-in. */
export interface Route {
  /** Host names that lead here, without port. The first is issuer and audience of every assertion. */
  readonly hosts: readonly [string, ...string[]]
  /** `http://host:port` of the claimgate in front of the app. */
  readonly upstream: URL
}

export interface StandIn extends Listener {
  readonly mint: Mint
  addRoute(route: Route): void
}

/** Where a request goes: on to claimgate with these headers, or back with this refusal. */
type Verdict = Onward | 'no route' | 'not signed in'

/**
 * A stand-in for Pomerium, for the demo and for tests: signs people in without a password, so it must never be
 * reachable by anybody else. Adds a fresh assertion to every request and passes it to the route's upstream.
 */
export const createStandIn = ({ signingKey }: { readonly signingKey: SigningKey }): StandIn => {
  const routes: Route[] = []
  const agent = new Agent({ keepAlive: true })
  const mint = createMint(signingKey)

  const judge = async (request: IncomingMessage): Promise<Verdict> => {
    const host = hostname(request.headers.host)
    const route = routes.find(({ hosts }) => hosts.includes(host))
    if (route === undefined) return 'no route'
    const user = findDemoUser(demoCookie(request.rawHeaders))
    if (user === undefined) return 'not signed in'
    const headers = forwardedHeaders(request.rawHeaders, {
      assertion: await mint(route.hosts[0], user),
      clientAddress: request.socket.remoteAddress ?? '',
    })
    return { upstream: route.upstream, headers, agent }
  }

  const listener = createListener(answers(judge, createKeySetEndpoint(signingKey.jwks)))
  return {
    mint,
    addRoute: (route) => {
      routes.push(route)
    },
    listen: listener.listen,
    close: async () => {
      agent.destroy()
      await listener.close()
    },
  }
}

const answers = (
  judge: (request: IncomingMessage) => Promise<Verdict>,
  answerKeySet: ReturnType<typeof createKeySetEndpoint>,
): Answers => ({
  onRequest: async (request, response) => {
    const target = request.url ?? '/'
    if (target.split('?', 1)[0] === KEY_SET_PATH) return answerKeySet(request, response)
    if (isSignInPath(target)) return answerSignIn(target, response)
    const verdict = await judge(request)
    if (typeof verdict === 'object') return forward(request, response, verdict)
    if (verdict === 'not signed in') {
      response.writeHead(302, { location: SIGN_IN_PATH, 'cache-control': 'no-store' }).end()
      return
    }
    response
      .writeHead(404, { 'content-type': 'text/plain' })
      .end('Stand-in: no route for this Host\n')
  },
  onUpgrade: async (upgrading) => {
    const verdict = await judge(upgrading.request)
    if (typeof verdict === 'object') return tunnel(upgrading, verdict)
    if (verdict === 'no route') return refuseUpgrade(upgrading.socket, 404)
    refuseUpgrade(upgrading.socket, 302, ['Location', SIGN_IN_PATH])
  },
})

/** The host without its port, in lower case; the brackets of an IPv6 address stay. */
const hostname = (host: string | undefined): string =>
  (host ?? '').toLowerCase().replace(/:\d*$/, '')
