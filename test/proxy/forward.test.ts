import t from 'tap'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { codeOf, exchangeBytes, rawClient, statusOf } from '../helpers/raw-client.ts'
import { answering, OK, rawUpstream } from '../helpers/raw-upstream.ts'

t.test('a verified request reaches the upstream with the identity in plain headers', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: ['Accept: */*', 'Connection: close'] }),
  )
  t.equal(statusOf(answer), 200)
  t.match(answer, /\r\n\r\nok$/)
  t.equal(
    upstream.received()[0],
    'GET /t HTTP/1.1\r\nHost: app.example.com\r\nAccept: */*\r\n' +
      'X-Pomerium-Claim-Sub: user-1\r\nX-Pomerium-Claim-Email: ann@example.com\r\n' +
      'X-Pomerium-Claim-Groups: dev,ops\r\nX-Pomerium-Claim-Name: Ann\r\n\r\n',
  )
})

t.test('a request without an assertion is refused and the upstream is never dialled', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(undefined, { lines: ['Connection: close'] }),
  )
  t.equal(statusOf(answer), 401)
  t.equal(codeOf(answer), 'ERR_ASSERTION_MISSING')
  t.match(answer, /\r\nWWW-Authenticate: Bearer realm="claimgate"\r\n/)
  t.match(answer, /\r\nCache-Control: no-store\r\n/)
  t.equal(upstream.connections(), 0)
})

const TARGETS = [
  '/./a',
  '/a/./b',
  '/a/../b',
  '//a',
  '///',
  '/%2e/a',
  '/a%2fb',
  '/%zz',
  '/100%',
  '/%E9',
  '/a{b}|^`"<>',
  '/;x=1/..;/y',
  '/a?x=/../#'.slice(0, 9),
  '/?%zz&a="<>{}\\',
  '/a?',
  '/a??',
  '/..a',
  '/a/...',
  `/${'x'.repeat(15_000)}`,
]
t.test('a target reaches the upstream byte for byte', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  for (const [index, target] of TARGETS.entries()) {
    client.send(requestBytes(gate.assertion(), { line: `GET ${target} HTTP/1.1` }))
    await client.until((text) => text.split('\r\n\r\nok').length === index + 2)
  }
  client.socket.destroy()
  const lines = upstream
    .received()
    .join('')
    .match(/^GET .*(?= HTTP\/1\.1\r$)/gm)
  t.same(
    lines,
    TARGETS.map((target) => `GET ${target}`),
  )
})

t.test('fields keep their order, spelling, case and duplicates', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { identityHeaders: [] })
  const lines = [
    'X-b: 1',
    'x-A: 2',
    'X-B: 3',
    '123: 4',
    'Cookie: a=1',
    'cookie: b=2',
    'User-Agent: x',
    'User-Agent: y',
    '__proto__: p',
    'Latin: caf\xe9',
    'Empty:',
  ]
  await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: [...lines, 'Connection: close'] }),
  )
  t.same(
    upstream.received()[0]?.split('\r\n').slice(2, -2),
    lines.map((line) => line.replace('Empty:', 'Empty: ')),
  )
})

t.test('the context of a trace passes as it came, and its id is logged', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { identityHeaders: [] })
  const id = '4bf92f3577b34da6a3ce929d0e0e4736'
  const lines = [
    `Traceparent: 00-${id}-00f067aa0ba902b7-01`,
    'tracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    'tracestate: second=1',
  ]
  await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: [...lines, 'Connection: close'] }),
  )
  t.same(upstream.received()[0]?.split('\r\n').slice(2, -2), lines)
  const refused = requestBytes(undefined, { lines: [...lines, 'Connection: close'] })
  await exchangeBytes(gate.port, refused)
  const logged = gate.logLines().filter(({ msg }) => msg === 'request')
  t.match(logged, [
    { decision: 'forward', trace_id: id },
    { decision: 'reject', trace_id: id },
  ])
})

for (const [method, body] of [
  ['GET', 'body'],
  ['DELETE', 'body'],
  ['POST', 'body'],
  ['PROPFIND', '<a/>'],
  ['POST', ''],
] as const)
  t.test(`${method} with ${body.length} body bytes keeps its body and its length`, async (t) => {
    const upstream = await rawUpstream()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const lines = [`Content-Length: ${body.length}`, 'Content-Type: weird', 'Connection: close']
    const answer = await exchangeBytes(
      gate.port,
      requestBytes(gate.assertion(), { line: `${method} /t HTTP/1.1`, lines, body }),
    )
    t.equal(statusOf(answer), 200)
    const [head, sent] = (upstream.received()[0] ?? '').split('\r\n\r\n')
    t.match(head, `\r\nContent-Length: ${body.length}\r\nContent-Type: weird\r\n`)
    t.equal(sent, body)
  })

t.test('a chunked body stays chunked and its trailers are dropped', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { identityHeaders: [] })
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), {
      line: 'POST /t HTTP/1.1',
      lines: ['Transfer-Encoding: chunked', 'Trailer: X-Pomerium-Claim-Email', 'Connection: close'],
      body: '3\r\nabc\r\n2\r\nde\r\n0\r\nX-Pomerium-Claim-Email: mallory\r\n\r\n',
    }),
  )
  t.equal(statusOf(answer), 200)
  t.equal(
    upstream.received()[0],
    'POST /t HTTP/1.1\r\nHost: app.example.com\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
  )
})

t.test('an upstream that refuses the connection gives 502 and no address', async (t) => {
  const upstream = await rawUpstream()
  await upstream.close()
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: ['Connection: close'] }),
  )
  t.equal(statusOf(answer), 502)
  t.equal(codeOf(answer), 'ERR_UPSTREAM_UNAVAILABLE')
  t.notMatch(answer, new RegExp(`127\\.0\\.0\\.1|${upstream.port}|ECONNREFUSED`))
})

t.test('Expect: 100-continue is answered after the decision', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  const lines = ['Content-Length: 5', 'Expect: 100-continue', 'Connection: close']
  client.send(requestBytes(gate.assertion(), { line: 'POST /t HTTP/1.1', lines }))
  await client.until('HTTP/1.1 100 Continue\r\n\r\n')
  client.send('hello')
  t.match(await client.untilClose(), /200 OK[\s\S]*ok$/)
  t.match(upstream.received()[0], /\r\n\r\nhello$/)
  const refused = await exchangeBytes(
    gate.port,
    requestBytes(undefined, { line: 'POST /t HTTP/1.1', lines }),
  )
  t.equal(statusOf(refused), 401)
  t.notMatch(refused, /100 Continue/)
})

t.test(
  'answer fields keep their bytes, order and duplicates, less those of the connection',
  async (t) => {
    const upstream = await rawUpstream(
      answering(
        'HTTP/1.1 203 Fine Thanks\r\nDate: x\r\nSet-Cookie: a\r\nX-L: caf\xe9\r\nset-cookie: b\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok',
      ),
    )
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const answer = await exchangeBytes(
      gate.port,
      requestBytes(gate.assertion(), { lines: ['Connection: close'] }),
    )
    t.equal(
      answer,
      'HTTP/1.1 203 Fine Thanks\r\nDate: x\r\nSet-Cookie: a\r\nX-L: caf\xe9\r\nset-cookie: b\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
    )
  },
)

t.test(
  'the head of an event stream arrives before its first event, its bytes unchanged',
  async (t) => {
    const upstream = await rawUpstream((socket) => {
      socket.once('data', () =>
        socket.write(
          'HTTP/1.1 200 OK\r\nX-L: caf\xe9\r\nContent-Type: text/event-stream\r\n\r\n',
          'latin1',
        ),
      )
    })
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const client = await rawClient(gate.port)
    client.send(requestBytes(gate.assertion()))
    t.match(await client.until(/\r\n\r\n/), /X-L: caf\xe9\r\n/)
    client.socket.destroy()
  },
)

t.test(
  'an idempotent request on a connection that died is sent again once; a POST is not',
  async (t) => {
    const upstream = await rawUpstream((socket, received) => {
      socket.on('data', () => {
        if (received().includes('/dies')) return void socket.destroy()
        socket.write(OK)
      })
    })
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const client = await rawClient(gate.port)
    client.send(requestBytes(gate.assertion()))
    await client.until(/ok$/)
    client.send(requestBytes(gate.assertion(), { line: 'GET /dies HTTP/1.1' }))
    t.match(await client.until(/502 Bad Gateway/), /ERR_UPSTREAM_UNAVAILABLE/)
    t.equal(
      upstream
        .received()
        .join('')
        .match(/GET \/dies/g)?.length,
      2,
    )
    client.send(requestBytes(gate.assertion()))
    await client.until(/ok$/)
    client.send(
      requestBytes(gate.assertion(), { line: 'POST /dies HTTP/1.1', lines: ['Content-Length: 0'] }),
    )
    await client.until(/502 Bad Gateway[\s\S]*502 Bad Gateway/)
    t.equal(
      upstream
        .received()
        .join('')
        .match(/POST \/dies/g)?.length,
      1,
    )
    client.socket.destroy()
  },
)

t.test('a HEAD leaves its upstream connection in use', async (t) => {
  const upstream = await rawUpstream(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'))
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  for (let answers = 2; answers <= 3; answers++) {
    client.send(requestBytes(gate.assertion(), { line: 'HEAD /t HTTP/1.1' }))
    await client.until((text) => text.split('\r\n\r\n').length === answers)
  }
  client.socket.destroy()
  t.equal(upstream.connections(), 1)
})

for (const framing of ['Content-Length: 100', 'Transfer-Encoding: chunked'])
  t.test(`an answer that comes before the body has (${framing}) is the last one`, async (t) => {
    const upstream = await rawUpstream((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'))
    })
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const answer = await exchangeBytes(
      gate.port,
      requestBytes(gate.assertion(), {
        line: 'POST /t HTTP/1.1',
        lines: [framing],
        body: '3\r\nabc\r\n',
      }),
    )
    t.match(answer, /^HTTP\/1\.1 403 No\r\n[\s\S]*Connection: close\r\n[\s\S]*\r\n\r\nno$/)
  })

t.test('an upstream that dies before it has read a chunked body gives 502', async (t) => {
  const upstream = await rawUpstream((socket) => {
    socket.pause()
    setTimeout(() => socket.resetAndDestroy(), 200)
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  const line = 'POST /t HTTP/1.1'
  client.send(requestBytes(gate.assertion(), { line, lines: ['Transfer-Encoding: chunked'] }))
  const piece = 'x'.repeat(0xffff)
  client.send(`ffff\r\n${piece}\r\n`.repeat(400))
  const answer = await client.untilClose()
  t.equal(statusOf(answer), 502)
  t.equal(codeOf(answer), 'ERR_UPSTREAM_UNAVAILABLE')
})

t.test('an upstream that breaks off mid-body breaks the client connection', async (t) => {
  const upstream = await rawUpstream((socket) => {
    socket.once('data', () =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', () => socket.destroy()),
    )
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(gate.port, requestBytes(gate.assertion()))
  t.match(answer, /\r\n\r\nabc$/)
})

t.test('a client that goes away before the answer cancels the upstream request', async (t) => {
  let closed: (() => void) | undefined
  const upstreamClosed = new Promise<void>((resolve) => {
    closed = resolve
  })
  const upstream = await rawUpstream((socket) => {
    socket.on('close', () => closed?.())
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion()))
  await upstream.until('\r\n\r\n')
  client.socket.destroy()
  await upstreamClosed
  t.pass('the upstream connection ended')
})

t.test('an answer in another transfer coding than chunked gives 502', async (t) => {
  const upstream = await rawUpstream(
    answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nxx\r\n0\r\n\r\n'),
  )
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: ['Connection: close'] }),
  )
  t.equal(statusOf(answer), 502)
  t.equal(codeOf(answer), 'ERR_UPSTREAM_UNAVAILABLE')
})

t.test('1xx answers are passed on before the final one', async (t) => {
  const upstream = await rawUpstream(
    answering(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${OK}`),
  )
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: ['Connection: close'] }),
  )
  t.match(
    answer,
    /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
  )
})

t.test(
  'a large upload without an assertion gets its whole 401, then the connection ends',
  async (t) => {
    const upstream = await rawUpstream()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const client = await rawClient(gate.port)
    client.send(
      requestBytes(undefined, { line: 'POST /t HTTP/1.1', lines: ['Content-Length: 50000000'] }),
    )
    client.send(Buffer.alloc(500_000))
    const answer = await client.untilClose()
    t.equal(statusOf(answer), 401)
    t.match(answer, /\r\nConnection: close\r\n/)
    t.match(answer, /"code":"ERR_ASSERTION_MISSING"[\s\S]*}\n$/)
    t.equal(upstream.connections(), 0)
  },
)

t.test('pipelined requests are answered in order, each with its own decision', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion()) +
      requestBytes(undefined) +
      requestBytes(gate.assertion()) +
      'BAD\r\n\r\n',
  )
  t.same(answer.match(/HTTP\/1\.1 (\d+)/g), [
    'HTTP/1.1 200',
    'HTTP/1.1 401',
    'HTTP/1.1 200',
    'HTTP/1.1 400',
  ])
})
