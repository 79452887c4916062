import type { ServerResponse } from 'node:http'
import { htmlPage } from './html.ts'
import { DEMO_COOKIE } from './request-headers.ts'
import { DEMO_USERS, findDemoUser } from './users.ts'

export const SIGN_IN_PATH = '/.pomerium/sign_in'
const SIGN_OUT_PATH = '/.pomerium/sign_out'

/** Whether the path is Pomerium's own, which never reaches an app. */
export const isSignInPath = (target: string): boolean => /^\/\.pomerium(?:[/?]|$)/.test(target)

/**
 * Answers every path under `/.pomerium`: a page to choose a user from, `sign_in?user=ana` and `sign_out`.
 * The cookie holds a bare login that anybody could write: good enough for a demo on loopback, and only there.
 */
export const answerSignIn = (target: string, response: ServerResponse): void => {
  const url = URL.parse(target, 'http://stand-in')
  if (url?.pathname === SIGN_OUT_PATH) {
    redirect(response, SIGN_IN_PATH, `${DEMO_COOKIE}=; Max-Age=0`)
    return
  }
  const login = url?.searchParams.get('user')
  const user = findDemoUser(login)
  if (user !== undefined) {
    redirect(response, '/', `${DEMO_COOKIE}=${user.login}`)
    return
  }
  response.writeHead(login == null ? 200 : 404, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
  })
  response.end(CHOICE)
}

const redirect = (response: ServerResponse, location: string, cookie: string): void => {
  response.writeHead(302, {
    location,
    'set-cookie': `${cookie}; Path=/; HttpOnly; SameSite=Lax`,
    'cache-control': 'no-store',
  })
  response.end()
}

const CHOICE = htmlPage(
  'Stand-in Pomerium: who are you?',
  `<p class="note">This is a stand-in for trying claimgate out, not Pomerium. It asks for no password.</p>
<ul>
${DEMO_USERS.map(
  ({ login, name, email, groups }) =>
    `<li><a href="${SIGN_IN_PATH}?user=${login}">${name}</a>, ${email}, groups ${groups.join(', ')}</li>`,
).join('\n')}
</ul>`,
)
