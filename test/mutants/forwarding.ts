import { type Mutant, mutantsOf } from './mutant.ts'

/** A decided request on its way to the upstream, and its answer on the way back. */
export const FORWARDING: readonly Mutant[] = [
  ...mutantsOf(
    'proxy/forward.ts',
    ['proxy/forward'],
    [
      [
        'a POST is sent again',
        "!hasBody && IDEMPOTENT.has(forward.request.method ?? '')",
        '!hasBody',
      ],
      [
        'a request with a body is sent again',
        'const canResend = !hasBody && IDEMPOTENT',
        'const canResend = IDEMPOTENT',
        { tests: ['proxy/relay'] },
      ],
      ['nothing is sent again', 'canResend ? again : undefined', 'undefined'],
      [
        'a request is sent again and again',
        'send(pool.lease(0), undefined)',
        'send(pool.lease(0), again)',
        { tests: ['proxy/relay'] },
      ],
      [
        'a request is sent again on another old connection',
        'pool.lease(0)',
        'pool.lease(Number.POSITIVE_INFINITY)',
        { tests: ['proxy/relay'] },
      ],
      [
        'a POST goes over a connection that has been idle for long',
        'canResend ? Number.POSITIVE_INFINITY : FRESH',
        'Number.POSITIVE_INFINITY',
        { tests: ['proxy/relay'] },
      ],
      [
        'a body is left out',
        'body: hasBody ? (bodyOf(request) as IncomingMessage) : null',
        'body: null',
      ],
      [
        'a chunked body that has arrived gets a length',
        "if (headerValue(request.rawHeaders, 'transfer-encoding') === undefined) return request",
        'return request',
      ],
      ['a HEAD ends the upstream connection', '      reset: false,\n', ''],
      [
        'a silent body is waited for',
        'hasBody ? config.bodyIdleTimeout : undefined',
        'undefined',
        { tests: ['server'] },
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/relay.ts',
    ['proxy/relay'],
    [
      [
        'a request on a new connection is sent again',
        'attempt.onReusedConnection = lease.isReused()',
        'attempt.onReusedConnection = true',
      ],
      ['a request is sent again after a part of its answer', '      attempt.answered = true\n', ''],
      [
        'a coded answer is passed on as a plain one',
        "const fault = answerFault(status, headers['transfer-encoding'])",
        'const fault = answerFault(status, undefined)',
        { tests: ['proxy/forward'] },
      ],
      [
        'a status below 100 is passed on',
        'const fault = answerFault(status, headers',
        'const fault = answerFault(Math.max(status, 100), headers',
        { tests: ['proxy/answer-head'] },
      ],
      [
        'an interim answer is the final one',
        'if (status < 200) return writeInformational(forward, head)',
        '',
        { tests: ['proxy/answer-head'] },
      ],
      [
        'an answer that is not taken in fills the memory',
        '      controller.pause()\n',
        '',
        { tests: ['proxy/slow-readers'] },
      ],
      [
        'an answer that was paused stays so',
        "      response.once('drain', () => controller.resume())\n",
        '',
        { tests: ['proxy/slow-readers'] },
      ],
      [
        'a connection with an unread body is used again',
        '      if (request.complete) lease.release()\n      else lease.destroy()\n',
        '      lease.release()\n',
      ],
      [
        'no upstream connection is used again',
        'if (request.complete) lease.release()\n      else lease.destroy()',
        'lease.destroy()',
      ],
      ['an answer never ends', '      response.end()\n', ''],
      ['a failure after the end is another end', 'if (isOver) return\n', '\n'],
      ['a client that is gone is not noticed', "  response.once('close', clientGone)\n", ''],
      [
        'the request of a client that is gone goes on',
        'exchange.aborted = true\n    lease.destroy()',
        'exchange.aborted = true',
      ],
      [
        'a failed connection stays open',
        'finish()\n    lease.destroy()\n    const isUn',
        'finish()\n    const isUn',
      ],
      [
        'an answered request is sent again',
        '!attempt.answered && !lease.hasHeard()',
        '!lease.hasHeard()',
      ],
      [
        'a request is sent again behind bytes of no answer',
        '!attempt.answered && !lease.hasHeard()',
        '!attempt.answered',
      ],
      ['what an app is slow with is sent again', ' && isDeath(error))', ')'],
      [
        'an answer of ours comes behind the head of another',
        'if (!response.headersSent) return forward.refuse',
        'if (response.headersSent !== null) return forward.refuse',
      ],
      ['an answer that broke off stays open', '    breakOff(request, response)\n', ''],
      [
        'a broken answer looks whole',
        '  response.destroy()\n}\n\n/**',
        '  response.end()\n}\n\n/**',
      ],
      [
        'a broken answer looks whole in HTTP/1.0',
        "  if (request.httpVersion === '1.0') response.socket?.resetAndDestroy()\n",
        '',
      ],
      [
        'a body that has come is awaited',
        'request.complete || request.readableLength',
        'request.readableLength',
      ],
      [
        'a body the upstream reads slowly is the fault of the client',
        'request.readableLength > 0 || ',
        '',
      ],
      ['a slow body is a silent one', ' || socket.bytesRead !== seen) {', ') {'],
      [
        'a silent body is waited for',
        "fail(new RejectedError('ERR_REQUEST_MALFORMED', { status: 408, reason: 'body stalled' }))",
        '',
        { tests: ['server'] },
      ],
      [
        'a connection that cannot be made in time is broken',
        'error instanceof ConnectTimeoutError || ',
        '',
      ],
      [
        'an answer that does not come in time is broken',
        " || reason === 'UND_ERR_HEADERS_TIMEOUT'",
        '',
        { tests: ['server'] },
      ],
      [
        'a refusal of ours is the fault of the upstream',
        'if (error instanceof RejectedError) return error',
        '',
        { tests: ['server'] },
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/answer-head.ts',
    ['proxy/answer-head'],
    [
      [
        'after an answer that came early the next request is read',
        "    lines.push('Connection', 'close')\n",
        '',
        { tests: ['proxy/forward'] },
      ],
      [
        'the head of a stream waits for its first event',
        '  process.nextTick(flushHead, response)\n',
        '',
        { tests: ['proxy/forward'] },
      ],
      ['an HTTP/1.0 client gets interim answers', "request.httpVersion === '1.0' || ", ''],
      ['interim answers fill the memory', '  if (socket.writableNeedDrain) return\n', ''],
      [
        'an answer without body has a length',
        'mayHaveLength(status) ? lines : withoutLength(lines)',
        'lines',
      ],
      [
        'the phrase may hold any bytes',
        "statusText.includes('\\ufffd') || !/^[\\t\\x20-\\x7e\\x80-\\xff]*$/.test(bytes) ? '' : bytes",
        'bytes',
      ],
      ['a phrase that lost bytes is passed on', "statusText.includes('\\ufffd') || ", ''],
    ],
  ),
  ...mutantsOf(
    'proxy/continue.ts',
    ['proxy/continue'],
    [
      ['a head of any length is held', 'rest.length > HELD_BYTES ? rest : undefined', 'undefined'],
      ['100 inside an answer is cut out', '    atBeginning = false\n', ''],
      [
        'only one 100 is passed over',
        'while (startsLikeContinue(rest))',
        'if (startsLikeContinue(rest))',
      ],
      [
        'other answers are passed over',
        "'HTTP/1.1 100 ', 'HTTP/1.1 100\\r'",
        "'HTTP/1.1 10', 'HTTP/1.1 100\\r'",
      ],
      [
        '100 before any request is passed over',
        'let atBeginning = false',
        'let atBeginning = true',
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/own-head.ts',
    ['proxy/own-head'],
    [
      [
        'whatever is written first is taken for a head',
        "if (typeof chunk === 'string' && chunk.startsWith(requestLine(bytes)))",
        "if (typeof chunk === 'string')",
      ],
      [
        'what is written instead of a head goes out',
        "    socket.destroy(new Error('unexpected write to the upstream'))\n    return false",
        '    return write(chunk, ...rest)',
      ],
      ['every write is taken for a head', '    expected = undefined\n', ''],
      ['a head goes out as UTF-8', ", 'latin1')", ')', { tests: ['proxy/forward'] }],
      [
        'an empty chunked body never ends',
        "written.endsWith(BEFORE_CHUNKS) ? '' :",
        "written !== '' ? '' :",
      ],
      [
        'a chunked body ends before it begins',
        "written.endsWith(BEFORE_CHUNKS) ? '' :",
        "false ? '' :",
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/upstream.ts',
    ['proxy/upstream'],
    [
      [
        '100 Continue of an upstream is taken for a broken answer',
        '          expectAnswer()\n',
        '',
        { tests: ['proxy/continue'] },
      ],
      [
        'the head that goes out is not ours',
        '          expectHead(bytes)\n',
        '',
        { tests: ['proxy/own-head'] },
      ],
      ['no connection counts as used before', '    slot.answered = true\n', ''],
      [
        'any idle connection is fresh',
        'newest === undefined || now() - newest.idleSince >= maxIdle',
        'newest === undefined',
      ],
      [
        'a connection is fresh one moment longer',
        'now() - newest.idleSince >= maxIdle',
        'now() - newest.idleSince > maxIdle',
      ],
      [
        'no connection is used again',
        'newest === undefined || now() - newest.idleSince >= maxIdle',
        'newest !== null',
      ],
      ['a connection is lent twice', '      idle.pop()\n', ''],
      [
        'a connection that is gone is lent',
        '      idle.splice(index, 1)\n      discard(slot)\n',
        '',
      ],
      [
        'a connection given back after the end stays open',
        'if (closed || slot.socket',
        'if (slot.socket',
      ],
      [
        'the end leaves idle connections open',
        'for (const slot of idle.splice(0)) discard(slot)',
        '',
      ],
      [
        'an upstream may take any time to answer',
        'headersTimeout: config.upstreamResponseTimeout ?? 0',
        'headersTimeout: 0',
        { tests: ['server'] },
      ],
      [
        'the head of an answer may have any size',
        '    maxHeaderSize: config.maxHeaderSize,\n',
        '    maxHeaderSize: 1024 * 1024 * 1024,\n',
      ],
      ['a stream may not pause', 'bodyTimeout: 0,', 'bodyTimeout: 100,'],
    ],
  ),
  ...mutantsOf(
    'proxy/connector.ts',
    ['proxy/connector'],
    [
      [
        'any certificate of the upstream is taken',
        'rejectUnauthorized: true',
        'rejectUnauthorized: false',
        { tests: ['server'] },
      ],
      [
        'upstream_server_name is not used',
        'tls.serverName ?? hostname',
        'hostname',
        { tests: ['server'] },
      ],
      [
        'upstream_ca_file is not used',
        '...(tls.ca === undefined ? {} : { ca: tls.ca }),',
        '',
        { tests: ['server'] },
      ],
      [
        'the client certificate is not shown',
        '...(tls.cert === undefined ? {} : { cert: tls.cert }),',
        '',
        { tests: ['server'] },
      ],
      [
        'an upstream that speaks first is believed',
        'if (socket.readableLength === 0) return settle(null)',
        'return settle(null)',
      ],
      [
        'an upstream that speaks at once is not waited for',
        'afterSilence(socket, settle)',
        'settle(null)',
      ],
      [
        'an upstream may take any time to connect',
        'setTimeout(() => socket.destroy(new ConnectTimeoutError()), timeout)',
        'undefined',
      ],
      ['an error of a connected socket ends the process', "    socket.on('error', noop)\n", ''],
      ['a connection that ends while connecting is waited for', ".once('close', closed)\n", '\n'],
    ],
  ),
]
