import { type Mutant, mutantsOf } from './mutant.ts'

/** A WebSocket from its handshake to its end. */
export const TUNNEL: readonly Mutant[] = [
  ...mutantsOf(
    'proxy/tunnel.ts',
    ['proxy/tunnel'],
    [
      [
        'a handshake reaches the upstream as a plain request',
        'headers: [...headers, ...UPGRADE_LINES]',
        'headers: [...headers]',
      ],
      [
        'bytes that came early reach the upstream before its answer',
        '    let isSettled = false\n',
        "    let isSettled = false\n    request.once('socket', (socket) => void socket.write(tunnel.early))\n",
      ],
      [
        'bytes that came early are lost',
        'const early = takeEarly()',
        'takeEarly()\n      const early = Buffer.alloc(0)',
      ],
      [
        'a tunnel to anything begins',
        "if (!isWebSocketUpgrade(response.rawHeaders)) fail(new Error('upgraded to something else'))",
        '',
      ],
      [
        'the client is not told that the tunnel begins',
        "client.write(answerHead(response, UPGRADE_LINES), 'latin1')",
        '',
      ],
      [
        'the client is told before the upstream has agreed',
        '    let isSettled = false\n',
        "    let isSettled = false\n    client.write('HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n')\n",
      ],
      [
        'the upgrade fields are missing in the 101',
        'answerHead(response, UPGRADE_LINES)',
        'answerHead(response, [])',
      ],
      [
        'a tunnel is not known',
        'tunnel.onOpen(splice({ client, upstream: upstream as Socket, early, head, exchange }))',
        'splice({ client, upstream: upstream as Socket, early, head, exchange })',
      ],
      [
        'another answer opens the tunnel',
        '      relayResponse(response, tunnel)\n',
        "client.write(answerHead(response, UPGRADE_LINES), 'latin1')\n      tunnel.onOpen(splice({ client, upstream: response.socket, early: takeEarly(), head: Buffer.alloc(0), exchange }))\n",
      ],
      [
        'an upstream that is down leaves the client waiting',
        "    request.on('error', fail)\n",
        "    request.on('error', () => undefined)\n",
      ],
      [
        'the handshake of a client that is gone goes on',
        "client.once('close', clientGone).once('end', clientGone)",
        '',
      ],
      [
        'the handshake of a client that has ended its side goes on',
        ".once('end', clientGone)\n",
        '\n',
        { tests: ['proxy/tunnel-client-end'] },
      ],
      [
        'a client that ended during the decision is waited for',
        'if (client.readableEnded) clientGone()',
        '',
        { tests: ['proxy/tunnel-client-end'] },
      ],
      ['what comes early in later packets is lost', '    chunks.push(chunk)\n', ''],
      ['what comes early fills the memory', '    client.pause()\n', ''],
      [
        'a client that has run too far ahead may wait for ever',
        'timer ??= setTimeout(() => fail(tooFarAhead()), limit)',
        '',
        { tests: ['proxy/tunnel-client-end'] },
      ],
      [
        'a client that has run too far ahead blames the upstream',
        '  if (error instanceof RejectedError) return error\n',
        '',
        { tests: ['proxy/tunnel-client-end'] },
      ],
      [
        'a handshake may take any time',
        'limit === undefined ? undefined : setTimeout(() => fail(new HandshakeTimeoutError()), limit)',
        'undefined',
      ],
      [
        'a handshake that was given up stays open',
        '      request.destroy()\n      tunnel.refuse',
        '      tunnel.refuse',
      ],
      [
        'a handshake is refused after it was answered',
        '      if (!settle()) return\n      request',
        '      settle()\n      request',
      ],
      [
        'a late tunnel begins all the same',
        'if (!settle()) return void upstream.destroy()',
        'settle()',
      ],
      [
        'interim answers to a handshake are lost',
        "if (!client.writableNeedDrain) client.write(answerHead(response, []), 'latin1')",
        '',
      ],
      [
        'after a refused handshake the connection goes on',
        "[...framing, 'Connection', 'close']",
        'framing',
      ],
      [
        'a refusal without length has no frame',
        "isFramed ? [] : ['Transfer-Encoding', 'chunked']",
        '[]',
      ],
      [
        'a broken refusal looks whole',
        'if (!response.complete) return void client.destroy()',
        '',
        {
          equivalent: 'this version of Node tells of a broken answer as an error, never as an end',
        },
      ],
      [
        'a refusal that breaks off leaves the client waiting',
        "  response.on('error', () => client.destroy())\n",
        "  response.on('error', () => undefined)\n",
      ],
      [
        'the head of an upstream may have any size',
        '    maxHeaderSize,\n  })',
        '    maxHeaderSize: 1024 * 1024 * 1024,\n  })',
      ],
      ['no answer in time is a broken upstream', 'error instanceof HandshakeTimeoutError || ', ''],
      [
        'no connection in time is a broken upstream',
        ' || error instanceof ConnectTimeoutError',
        '',
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/tunnel-age.ts',
    ['proxy/tunnel-age'],
    [
      [
        'a tunnel of any age stays open',
        'setTimeout(() => tunnel.close(GOING_AWAY), age)',
        'setTimeout(() => undefined, age)',
      ],
      ['tunnels opened together end together', 'maxAge * (1 - JITTER * random())', 'maxAge'],
      ['a tunnel lives longer than it may', '1 - JITTER * random()', '1 + JITTER * random()'],
      [
        'an old tunnel is closed as if all were done',
        'const GOING_AWAY = 1001',
        'const GOING_AWAY = 1000',
      ],
      ['a tunnel is not known', '        request.onOpen(tunnel)\n', ''],
    ],
  ),
  ...mutantsOf(
    'proxy/splice.ts',
    ['proxy/splice'],
    [
      ['what came with the 101 is lost', 'if (head.length > 0) down.carry(head)', ''],
      ['what came before the 101 is lost', 'if (early.length > 0) up.carry(early)', ''],
      [
        'a side that does not read fills the memory',
        'if (!to.write(chunk)) from.pause()',
        'to.write(chunk)',
      ],
      ['a client that was paused stays so', "    .on('drain', () => client.resume())\n", ''],
      ['an upstream that was paused stays so', "    .on('drain', () => upstream.resume())\n", ''],
      [
        'a close frame comes inside another frame',
        ' || !this.#frames.isAtBoundary()) return',
        ') return',
      ],
      ['frames are not followed', '    this.#frames.follow(chunk)\n', ''],
      ['bytes follow the close frame', '    if (this.#isClosed) return\n', ''],
      [
        'two close frames are sent',
        'this.#closingWith === undefined || this.#isClosed || ',
        'this.#closingWith === undefined || ',
      ],
      ['the client is not told of the end', '      down.close(status)\n', ''],
      ['the upstream is not told of the end', '      up.close(status)\n', ''],
      [
        'a frame that never ends holds the end up',
        '      pair.endWithin(BOUNDARY_WAIT)\n      down',
        '      down',
      ],
      [
        'the frames for the upstream are not masked',
        'goodbye: maskedCloseFrame',
        'goodbye: closeFrame',
      ],
      [
        'a longer limit takes the place of a shorter one',
        '    if (limit >= shortest) return\n',
        '',
      ],
      [
        'one side may go on for ever after the other has ended',
        '      other.end()\n      endWithin(HALF_OPEN_LIMIT)',
        '      other.end()',
      ],
      [
        'the end of one side is not told to the other',
        '      other.end()\n      endWithin(HALF_OPEN_LIMIT)',
        '      endWithin(HALF_OPEN_LIMIT)',
      ],
      [
        'a side that was reset leaves the other open',
        'if (hadError || other.destroyed) return end()',
        '',
      ],
      [
        'a fault of the upstream ends the process',
        "  upstream.on('error', noop).once",
        '  upstream.once',
        {
          equivalent:
            'the connection has had a listener since it was dialled, and another since the 101',
        },
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/frames.ts',
    ['proxy/frames'],
    [
      ['a mask is taken for payload', '((second & 0x80) === 0 ? 0 : 4)', '0'],
      ['the mask bit belongs to the length', '(chunk[at + 1] ?? 0) & 0x7f', '(chunk[at + 1] ?? 0)'],
      [
        'lengths of two bytes are not read',
        'if (length === 126) return chunk.readUInt16BE(at + 2)',
        '',
      ],
      [
        'lengths of eight bytes are not read',
        'if (length === 127) return Number(chunk.readBigUInt64BE(at + 2))',
        '',
      ],
      [
        'inside a payload a frame begins',
        'this.#left === 0 && this.#cut === undefined',
        'this.#cut === undefined',
      ],
      [
        'inside a header a frame begins',
        'this.#left === 0 && this.#cut === undefined',
        'this.#left === 0',
      ],
      [
        'a header is read before all of it is here',
        'if (end > chunk.length) {',
        'if (end > chunk.length + 1) {',
      ],
      [
        'a header that is here in whole is taken for a part',
        'if (end > chunk.length) {',
        'if (end >= chunk.length) {',
      ],
      [
        'a byte of a header keeps a piece of the pool',
        'new Uint8Array(chunk.subarray(at))',
        'Buffer.from(chunk.subarray(at))',
      ],
      ['what began a header is lost', 'Buffer.concat([begun, ', 'Buffer.concat(['],
      ['what began a header is taken twice', 'this.#cut = undefined\n    const', 'const'],
      [
        'the rest of a header is counted as a whole one',
        'this.#takeHeader(header, 0) - begun.length',
        'this.#takeHeader(header, 0)',
      ],
      [
        'the status of a close frame is lost',
        '[0x88, 0x02, status >> 8, status & 0xff]',
        '[0x88, 0x02, 0, 0]',
      ],
      ['a masked close frame is not masked', '(status >> 8) ^ (mask[0] ?? 0)', '(status >> 8)'],
    ],
  ),
  ...mutantsOf(
    'proxy/bare-sockets.ts',
    ['proxy/bare-sockets'],
    [
      [
        'a handshake is not decided',
        'const decision = await recorder.decide(head, exchange)',
        'const decision: Decision = { lines: [], verified: undefined, dropped: 0 }\n  recorder.decide(head, exchange).catch(() => undefined)',
      ],
      [
        'what is no handshake opens a tunnel',
        'if (!isHandshake(head)) {',
        'if (isHandshake(head) === undefined) {',
        {
          equivalent:
            'this version of Node brings handshakes alone; one below 22.21 brings every Upgrade',
        },
      ],
      [
        'a refused handshake leaves the client waiting',
        'decideOnHandshake(head, exchange, recorder).then(open).catch(refuse)',
        'decideOnHandshake(head, exchange, recorder).then(open).catch(() => undefined)',
      ],
      [
        'the upstream is dialled for a client that is gone',
        '        if (socket.destroyed) return\n',
        '',
      ],
      [
        'a tunnel begins while this instance shuts down',
        "        if (isDraining) throw rejectAfterAll(exchange, new RejectedError('ERR_DRAINING'))\n",
        '',
      ],
      [
        'a tunnel that opened during the shutdown stays',
        '    if (isDraining) tunnel.close(1001)\n',
        '',
      ],
      ['a tunnel that has ended counts', "    socket.once('close', tunnels.add(tunnel))\n", ''],
      ['a handshake is not recorded', '    recorder.end(exchange)\n    next()', '    next()'],
      ['what is stripped of a handshake is not counted', '  exchange.stripped = stripped\n', ''],
      [
        'CONNECT gets no answer',
        "refuse(socket, 'CONNECT', new RejectedError('ERR_REQUEST_MALFORMED', refusal))",
        '',
      ],
      ['what is not HTTP gets no answer', "refuse(socket, '-', malformed(error))", ''],
      [
        'one connection too many gets no answer',
        "refuse(socket, '-', new RejectedError('ERR_OVERLOADED', { reason: 'max_connections' }))",
        '',
      ],
      ['a refusal without a request is not recorded', '    recorder.end(exchange)\n  }', '  }'],
    ],
  ),
  ...mutantsOf(
    'proxy/parser-fault.ts',
    ['proxy/parser-fault'],
    [
      [
        'a client that is too slow with its head gets 400',
        '  ERR_HTTP_REQUEST_TIMEOUT: 408,\n',
        '',
      ],
      ['a head that is too large gets 400', '  HPE_HEADER_OVERFLOW: 431,\n', ''],
      ['another version of HTTP gets 400', '  HPE_INVALID_VERSION: 505,\n', ''],
      [
        'a bare LF is another version',
        "if (code !== 'HPE_INVALID_VERSION') return true",
        'return true',
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/tunnel.ts',
    ['proxy/tunnel-answers'],
    [
      ['a broken answer to a handshake is passed on', 'if (fault !== undefined) fail(fault)', ''],
      [
        'who leaves in the middle of an answer keeps its connections',
        "  client.once('end', () => client.destroy())\n",
        '',
      ],
      [
        'an answer without body gets a frame',
        'const isBodiless = statusCode === 204 || statusCode === 304',
        'const isBodiless = false',
      ],
      [
        'interim answers wait in memory for a client that does not read',
        'if (!client.writableNeedDrain) client',
        'client',
      ],
    ],
  ),
]
