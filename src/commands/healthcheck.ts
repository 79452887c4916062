/**
 * A program of its own, for the health check of an image that holds no shell and no curl:
 * `node dist/commands/healthcheck.js [URL]` exits 0 when the URL answers 200 within three seconds, else 1.
 * Without a URL it asks `/healthz` on the admin port of CLAIMGATE_ADMIN_LISTEN, which is 8001 by default, or on the Unix
 * socket that is named there. With that port off, or set in a file, give it a URL or turn the image's health check off.
 */
import { get } from 'node:http'

const TIMEOUT_MS = 3000

const listen = process.env['CLAIMGATE_ADMIN_LISTEN'] ?? ''
const socketPath = listen.startsWith('unix:') ? listen.slice('unix:'.length) : undefined

const adminUrl = (): string => {
  const port = /:(\d+)$/.exec(listen)?.[1] ?? '8001'
  return `http://127.0.0.1:${port}/healthz`
}

const fail = (reason: string): never => {
  process.stderr.write(`unhealthy: ${reason}\n`)
  process.exit(1)
}

const url = process.argv[2] ?? adminUrl()
if (!URL.canParse(url)) fail('the argument is not a URL')
setTimeout(() => fail(`no answer within ${TIMEOUT_MS} ms`), TIMEOUT_MS)
const given = process.argv[2]
const options = given === undefined && socketPath !== undefined ? { socketPath } : {}
get(url, options, (answer) => {
  if (answer.statusCode !== 200) fail(`status ${answer.statusCode}`)
  process.exit(0)
}).on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.name))
