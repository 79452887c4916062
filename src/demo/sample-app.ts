import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { escapeHtml, htmlPage } from './html.ts'
import { createListener, type Listener } from './listener.ts'
import { type Received, received } from './received.ts'
import { answerWebSocket } from './websocket-echo.ts'

/**
 * The app behind claimgate: knows nothing of assertions, believes the headers it gets and shows them. A page for
 * browsers, JSON for everything else; a WebSocket on any path, which starts with the headers of its handshake
 * and then echoes.
 */
export const createSampleApp = (): Listener =>
  createListener({
    onRequest: (request, response) => {
      request.resume()
      const wantsPage = request.headers.accept?.includes('text/html') === true
      wantsPage ? sendPage(request, response) : sendJson(request, response)
    },
    onUpgrade: (upgrading) => {
      const { identity, headers } = received(upgrading.request)
      answerWebSocket(upgrading, JSON.stringify({ identity, headers }))
    },
  })

const sendJson = (request: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(received(request), undefined, 2)}\n`)
}

const sendPage = (request: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': POLICY,
  })
  response.end(page(received(request)))
}

/** Opens a WebSocket to the page's own address and shows its first message: the headers of the handshake. */
const SCRIPT = `
const output = document.querySelector('#handshake')
const socket = new WebSocket(location.href.replace(/^http/, 'ws'))
socket.onmessage = ({ data }) => {
  output.textContent = JSON.stringify(JSON.parse(data).identity, null, 2)
  socket.close()
}
socket.onerror = () => { output.textContent = 'The WebSocket was refused.' }
`

const POLICY = [
  `default-src 'none'`,
  `style-src 'unsafe-inline'`,
  `script-src 'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`,
  `connect-src 'self'`,
].join('; ')

const page = ({ identity, headers }: Received): string =>
  htmlPage(
    'Sample app',
    `<p>This app does not check anything. It shows what reached it:</p>
<h2>Who you are, by the identity headers</h2>
${table(identity)}
<h2>The same on a WebSocket handshake</h2>
<pre id="handshake">…</pre>
<h2>All headers</h2>
${table(headers)}
<p><a href="/.pomerium/sign_in">Be somebody else</a></p>
<script>${SCRIPT}</script>`,
  )

const table = (headers: Readonly<Record<string, string>>): string => {
  const rows = Object.entries(headers).map(
    ([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  )
  return rows.length === 0 ? '<p>None.</p>' : `<table>\n${rows.join('\n')}\n</table>`
}
