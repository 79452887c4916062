/**
 * A program of its own, for the health check of an image that holds no shell and no curl:
 * `node dist/commands/healthcheck.js [URL]` exits 0 when the URL answers 200 within three seconds, else 1.
 * Without a URL it asks `/healthz` on the admin port of CLAIMGATE_ADMIN_LISTEN, which is 8001 by default, or on the Unix
 * socket that is named there. With that port off, or set in a file, give it a URL or turn the image's health check off.
 *
 * It runs in claimgate's own memory limit, so it loads node:net alone: node:http would cost it 16 MB more.
 */
import { connect, type NetConnectOpts } from 'node:net'

const TIMEOUT_MS = 3000

interface Question {
  readonly to: NetConnectOpts
  readonly host: string
  readonly path: string
}

const fail = (reason: string): never => {
  process.stderr.write(`unhealthy: ${reason}\n`)
  process.exit(1)
}

const ofSettings = (): Question => {
  const listen = process.env['CLAIMGATE_ADMIN_LISTEN'] ?? ''
  const path = '/healthz'
  if (listen.startsWith('unix:'))
    return { to: { path: listen.slice('unix:'.length) }, host: 'localhost', path }
  const port = Number(/:(\d+)$/.exec(listen)?.[1] ?? 8001)
  return { to: { host: '127.0.0.1', port }, host: `127.0.0.1:${port}`, path }
}

const ofUrl = (text: string): Question => {
  if (!URL.canParse(text)) fail('the argument is not a URL')
  const { protocol, hostname, port, host, pathname, search } = new URL(text)
  if (protocol !== 'http:') fail('only URLs of http are asked')
  const to = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || 80) }
  return { to, host, path: `${pathname}${search}` }
}

/** RFC 9112 §4: the status is all that is read of the answer. */
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})/
const STATUS_LENGTH = 'HTTP/1.1 200'.length

const given = process.argv[2]
const { to, host, path } = given === undefined ? ofSettings() : ofUrl(given)
setTimeout(() => fail(`no answer within ${TIMEOUT_MS} ms`), TIMEOUT_MS)

let answer = ''
const judge = (): void => {
  const status = STATUS_LINE.exec(answer)?.[1]
  if (status !== '200') fail(status === undefined ? 'no answer of HTTP' : `status ${status}`)
  process.exit(0)
}
const socket = connect(to)
socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.name))
socket.on('end', judge)
socket.on('data', (chunk: Buffer) => {
  answer += chunk.toString('latin1')
  if (answer.length >= STATUS_LENGTH) judge()
})
socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
