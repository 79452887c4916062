/** The least that forwards a request in Node: no decision, no header removed, no care for what may go wrong. */
import { createServer } from 'node:http'
import { Pool } from 'undici'

const { PORT, UPSTREAM = '' } = process.env
const pool = new Pool(UPSTREAM, { connections: 128 })

const server = createServer({ keepAliveTimeout: 3_600_000 }, (request, response) => {
  const { connection, 'keep-alive': keepAlive, ...headers } = request.headers
  const { method = 'GET', url = '/' } = request
  pool
    .request({ method, path: url, headers, body: method === 'GET' ? null : request })
    .then(({ statusCode, headers: answered, body }) => {
      const { connection: hop, 'keep-alive': hopToo, ...passed } = answered
      response.writeHead(statusCode, passed)
      body.on('error', () => response.destroy()).pipe(response)
    })
    .catch(() => response.writeHead(502).end())
})
server.listen({ port: Number(PORT), host: '127.0.0.1', backlog: 4096 })
