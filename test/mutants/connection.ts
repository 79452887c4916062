import { type Mutant, mutantsOf } from './mutant.ts'

/** The listener, and the order of what comes and goes on one connection. */
export const CONNECTION: readonly Mutant[] = [
  ...mutantsOf(
    'proxy/connection.ts',
    ['proxy/connection'],
    [
      [
        'requests of a connection run side by side',
        'if (!busy) return run(task)',
        'return run(task)',
      ],
      ['the newest request comes first', 'waiting.shift()', 'waiting.pop()'],
      [
        'what waits is never run',
        '    if (task !== undefined) run(task)\n',
        '    if (task === null) run(task)\n',
      ],
      ['any number of requests waits', 'if (waiting.length >= MAX_WAITING) valve.close()', ''],
      [
        'one request too many waits',
        'waiting.length >= MAX_WAITING',
        'waiting.length > MAX_WAITING',
      ],
      [
        'a connection that was stopped stays so',
        'if (waiting.length < MAX_WAITING / 2) valve.open()',
        '',
      ],
      ['a request that says twice that it is done lets two run', '      if (called) return\n', ''],
      [
        'what waits on a connection that is gone is run',
        'finished || socket.destroyed ? undefined',
        'finished ? undefined',
      ],
      [
        'what comes after the last answer is looked at',
        'if (finished || sealed) return valve.close()',
        '',
      ],
      [
        'after the last answer reading goes on',
        'if (finished || sealed) return valve.close()',
        'if (finished || sealed) return',
      ],
      [
        'what waits behind the last answer is looked at',
        '      finished = true\n      waiting.length = 0\n',
        '      finished = true\n',
        { equivalent: 'nothing of it is run after the end either; it is only let go earlier' },
      ],
      [
        'a connection with its last answer is not busy',
        'busy || finished || sealed || waiting.length > 0',
        'busy || sealed || waiting.length > 0',
      ],
      [
        'a connection with a request is not busy',
        'busy || finished || sealed || waiting.length > 0',
        'finished || sealed || waiting.length > 0',
      ],
      [
        'a connection rests while it answers',
        '!busy && !finished && !sealed && socket.bytesRead === bytesAtRest',
        '!finished && !sealed && socket.bytesRead === bytesAtRest',
      ],
      [
        'a connection rests after its last answer',
        '!busy && !finished && !sealed && socket.bytesRead === bytesAtRest',
        '!busy && !sealed && socket.bytesRead === bytesAtRest',
      ],
      [
        'a connection rests inside a head',
        '!busy && !finished && !sealed && socket.bytesRead === bytesAtRest',
        '!busy && !finished && !sealed',
      ],
      [
        'what comes behind an ignored upgrade is looked at',
        'if (finished || sealed) return',
        'if (finished) return',
      ],
      [
        'a tunnel begins behind an ignored upgrade',
        'busy || finished || sealed || waiting.length > 0',
        'busy || finished || waiting.length > 0',
      ],
      [
        'a connection rests behind an ignored upgrade',
        '!busy && !finished && !sealed && socket',
        '!busy && !finished && socket',
      ],
      ['a connection that was used never rests', '    else bytesAtRest = socket.bytesRead\n', ''],
      ['a fault of a socket ends the process', "  socket.on('error', noop)\n", ''],
      ['after its last answer a connection stays open', '  socket.end()\n', ''],
      [
        'a client that goes on sending is listened to for ever',
        'setTimeout(() => socket.destroy(), LINGER_TIME)',
        'undefined',
      ],
      [
        'a client that goes on sending is listened to at any length',
        'if (left < 0) socket.pause()',
        '',
      ],
      [
        'what comes after the last answer reaches the parser',
        "  socket.removeAllListeners('data')\n",
        '',
      ],
      [
        'a connection whose client has ended is kept',
        "  socket.once('end', () => socket.destroy())\n",
        '',
        { equivalent: 'Node itself destroys a socket whose two sides have ended' },
      ],
      [
        'what is still sent is not read',
        '  connectionOf(socket).readOn()\n  socket.resume()\n',
        '',
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/valve.ts',
    ['proxy/valve'],
    [
      ['a pause does not last', '(isClosed ? socket : resume())', 'resume()'],
      ['a pause during a resume is lost', "    if (isClosed) socket.emit('pause')\n", ''],
      ['an open valve reads again what others have paused', '      if (!isClosed) return\n', ''],
      [
        'an opened valve does not read',
        '      isClosed = false\n      resume()',
        '      isClosed = false',
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/slow-readers.ts',
    ['proxy/slow-readers'],
    [
      [
        'a client that takes nothing in is waited for',
        'else if (now() - last.since >= limit) late.push(socket)',
        '',
      ],
      [
        'a client that takes some in is ended',
        ' || last?.taken !== taken)',
        ' || last === undefined)',
      ],
      [
        'only the first of many is ended',
        'if (late.length > 0) setImmediate(endSome)',
        'if (late.length > 0) late.length = 0',
      ],
      ['a silent stream is ended', 'waiting === 0 || last?.taken', 'last?.taken'],
      [
        'what a client sends counts as taking in',
        'socket.bytesWritten - waiting',
        'socket.bytesWritten - waiting + socket.bytesRead',
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/data-server.ts',
    ['server'],
    [
      ['nothing is decided', ': handlers.decide(raw),', ': Promise.resolve(),'],
      [
        'a body beside an ignored upgrade is taken for none',
        'isUnframed(raw) ? Promise.reject(unframed()) : ',
        '',
        { tests: ['proxy/blanks'] },
      ],
      [
        'a refusal is forwarded',
        'answer(handlers, error, { request, reply }))',
        'handlers.forward(request.raw))',
      ],
      [
        'the client waits for ever where forwarding fails',
        '    handlers.forward(request.raw)\n    // Only now',
        '    reply.hijack()\n    handlers.forward(request.raw)\n    // Only now',
        { tests: ['proxy/data-server'] },
      ],
      [
        'the client waits for ever where its refusal fails',
        '    reply.raw.destroy()\n',
        '',
        { tests: ['proxy/data-server'] },
      ],
      ['the status page has no path', "isOurs(request.url ?? '') ? STATUS : PROXIED", 'PROXIED'],
      [
        'the status page has no query',
        'pathOf(target) === live.settings().statusPath',
        'target === live.settings().statusPath',
      ],
      [
        'the router sees what the client asked for',
        'STATUS : PROXIED),',
        "STATUS : (request.url ?? '')),",
        { tests: ['proxy/forward'] },
      ],
      [
        'slow readers are not looked for',
        'endSlowReaders(connections, bodyIdleTimeout, monotonic)',
        '() => undefined',
        { tests: ['proxy/slow-readers'] },
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/ignored-upgrade.ts',
    ['server'],
    [
      [
        'no body may be chunked',
        'ignoredUpgrades.has(request) && headerValue',
        'headerValue',
        { tests: ['proxy/chunked-body'] },
      ],
      [
        'no upgrade is ignored',
        "ignoredUpgrades.has(request) && headerValue(request.rawHeaders, 'transfer-encoding') !== undefined",
        'ignoredUpgrades.has(request)',
        { tests: ['proxy/ignored-upgrade'] },
      ],
      [
        'every upgrade is taken for a tunnel',
        "isHandshake(headOf(request)) && !isForNoTunnel(request.url ?? '')",
        "!isForNoTunnel(request.url ?? '')",
        { tests: ['proxy/tunnel'] },
      ],
      [
        'a tunnel begins before the answer to what came earlier',
        'isTheirs && !connectionOf(request.socket).isBusy()',
        'isTheirs',
        { tests: ['proxy/data-server'] },
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/turns.ts',
    ['server'],
    [
      [
        'behind an ignored upgrade requests are looked at',
        '      if (connection.isSealed()) return\n',
        '',
        { tests: ['proxy/ignored-upgrade'] },
      ],
      [
        'an ignored upgrade does not seal its connection',
        'if (isIgnoredUpgrade(request)) connection.seal()',
        '',
        { tests: ['proxy/ignored-upgrade'] },
      ],
      [
        'the answer to an ignored upgrade is not the last',
        'if (isIgnoredUpgrade(request)) makeLast(response)',
        '',
        { tests: ['proxy/ignored-upgrade'] },
      ],
      [
        'a fault inside a body is answered',
        'turn?.request?.complete === false',
        'turn === undefined',
        { tests: ['proxy/data-server'] },
      ],
      [
        'a broken body takes the answer to what came before it away',
        'if (!turn.hasBegun) return connectionOf(socket).replaceNewest(answer)',
        '',
        { tests: ['proxy/broken-body'] },
      ],
      [
        'a connection that is silent from its birth gets an answer',
        ' || socket.bytesRead === 0) return void',
        ') return void',
      ],
      [
        'a parser error is answered before what came earlier',
        'return connectionOf(socket).enqueue(answer)',
        'return answer()',
        { tests: ['proxy/forward'] },
      ],
      [
        'CONNECT is answered before what came earlier',
        'connectionOf(socket).enqueue(() => handlers.connectMethod(request, socket))',
        'handlers.connectMethod(request, socket)',
        { tests: ['proxy/data-server'] },
      ],
      [
        'the next request does not wait for the answer',
        '          next()\n        })',
        '        })\n        next()',
        { tests: ['proxy/forward'] },
      ],
      [
        'Node answers Expect before the decision',
        "  server.on('checkContinue', take('continue'))\n",
        '',
        { tests: ['proxy/forward'] },
      ],
      [
        'Node answers an unknown expectation',
        "  server.on('checkExpectation', take('none'))\n",
        '',
        { tests: ['proxy/passage'] },
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/own-answer.ts',
    ['proxy/passage'],
    [
      [
        'after malformed HTTP the connection goes on',
        'isUnread || isMalformed || isWebSocketUpgrade',
        'isUnread || isWebSocketUpgrade',
      ],
      [
        'with an unread body the connection goes on',
        'isUnread || isMalformed || isWebSocketUpgrade',
        'isMalformed || isWebSocketUpgrade',
        { tests: ['proxy/forward'] },
      ],
      [
        'after a refused handshake the connection goes on',
        ' || isWebSocketUpgrade(head.rawHeaders)\n',
        '\n',
        {
          equivalent:
            'a handshake comes here only as an ignored upgrade, which is the last of its connection anyway',
        },
      ],
      ['the last answer does not say so', "if (isLast) lines.push('Connection', 'close')", ''],
      [
        'an answer of ours to HEAD has a body',
        "head.method === 'HEAD' ? '' : body",
        'body',
        { equivalent: 'Node itself leaves the body of an answer to HEAD out' },
      ],
      [
        'an answer is written on a connection that is gone',
        'if (socket.destroyed || !socket.writable) {',
        'if (socket.destroyed === undefined) {',
        { equivalent: 'a write to such a socket does nothing either, and ends it just the same' },
      ],
      [
        'an answer of ours does not say that it is the last',
        'toUTCString()}\\r\\nConnection: close',
        'toUTCString()}',
        { tests: ['proxy/connection'] },
      ],
      [
        'behind an answer of ours requests are looked at',
        '  connectionOf(socket).finish()\n',
        '',
        { tests: ['proxy/connection'] },
      ],
      [
        'texts beyond ASCII are cut',
        'Buffer.byteLength(text) === text.length ? text',
        'text.length >= 0 ? text',
        { tests: ['proxy/connection'] },
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/passage.ts',
    ['proxy/passage'],
    [
      [
        'a handshake behind a request goes on as a plain one',
        'if (generation.answerOf === undefined && isWebSocketUpgrade(head.rawHeaders)) {\n    exchange',
        'if (head === undefined) {\n    exchange',
        { tests: ['proxy/tunnel'] },
      ],
      [
        'a request with a broken body goes on when it is decided',
        'if (passage.isOver) {',
        'if (passage.decision === undefined) {',
        {
          tests: ['proxy/broken-body'],
          equivalent: 'Fastify goes no further with what was answered; said twice on purpose',
        },
      ],
      [
        'a refusal comes behind the answer to a broken body',
        'if (!passage.isOver) refuse(passage, error)',
        'if (passage) refuse(passage, error)',
        {
          tests: ['proxy/broken-body'],
          equivalent: 'Fastify goes no further with what was answered; said twice on purpose',
        },
      ],
      [
        'what was forwarded of a broken body is answered',
        'return !passage.isForwarding && refuseEarly',
        'return refuseEarly',
        { tests: ['proxy/broken-body'] },
      ],
      [
        'a refused handshake is recorded as forwarded',
        "    exchange.decision = 'reject'\n    const reason",
        '    const reason',
        { tests: ['proxy/data-server'] },
      ],
      [
        'the upstream is dialled for a client that is gone',
        '      if (passage.response.destroyed) return\n',
        '',
      ],
      [
        'what is stripped is not counted',
        '  exchange.stripped = stripped\n',
        '',
        { tests: ['server'] },
      ],
      [
        '100 Continue is never said',
        "if (passage.expectation === 'continue') response.writeContinue()",
        '',
        { tests: ['proxy/forward'] },
      ],
      [
        'the status page has any method',
        "if (head.method !== 'GET' && head.method !== 'HEAD') {",
        'if (head.method === undefined) {',
        { tests: ['server'] },
      ],
      [
        'an answer of ours comes behind the head of another',
        'if (response.headersSent || response.destroyed) response.destroy()\n  else writeResponse',
        'writeResponse',
      ],
      [
        'what a client did not wait for is not aborted',
        'if (!response.writableFinished) exchange.aborted = true',
        '',
        { tests: ['proxy/slow-readers'] },
      ],
      [
        'requests are not recorded',
        '    generation.recorder.end(exchange)\n',
        '',
        { tests: ['server'] },
      ],
      [
        'a drain does not tell clients',
        'if (isDraining) makeLast(response)',
        '',
        { tests: ['drain'] },
      ],
      [
        'a drain does not tell who waits for an answer',
        'for (const response of underWay) makeLast(response)',
        '',
        { tests: ['server'] },
      ],
      [
        'a drain leaves pipelined requests without answer',
        ' || connectionOf(socket).hasWaiting()) return',
        ') return',
        { tests: ['drain'] },
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/patience.ts',
    ['proxy/patience'],
    [
      [
        'a flood of refusals gets every turn',
        'isForwarding && refusalsOf(connection) >= FREE_REFUSALS ? PAUSE : 0',
        '0',
      ],
      ['refusals wait for nobody', 'isForwarding && refusalsOf', 'refusalsOf'],
      [
        'the first refusals wait',
        'refusalsOf(connection) >= FREE_REFUSALS',
        'refusalsOf(connection) >= 1',
      ],
      ['a good request makes up for nothing', 'else refusals.delete(connection)', ''],
    ],
  ),
  ...mutantsOf(
    'proxy/recorder.ts',
    ['server'],
    [
      ['what was forwarded is recorded as refused', "        exchange.decision = 'forward'\n", ''],
      [
        'a fault of ours is told to the client',
        'if (!(error instanceof RejectedError)) {',
        'if (error === undefined || !(error instanceof Error)) {',
        { tests: ['proxy/recorder'] },
      ],
      [
        'the message of a fault is logged',
        "const frames = (error.stack ?? '').split('\\n').filter((line) => line.startsWith('    at '))",
        "const frames = (error.stack ?? '').split('\\n')",
        { tests: ['proxy/recorder'] },
      ],
      ['error_detail: none shows the code', 'detail: config.errorDetail', "detail: 'code'"],
      [
        'a request leaves no line in the log',
        '    for (const { exchange, duration } of all) logExchange(log, exchange, duration, user)\n',
        '',
      ],
      ['a request is not counted', '    for (const each of all) count(each)\n', ''],
      [
        'one that cannot be counted takes the others with it',
        "      log.error({ request_id: exchange.id, ...describeFault(fault) }, 'internal error')\n",
        '      throw fault\n',
        { tests: ['proxy/recorder'] },
      ],
      ['a line is written twice', '    ended = []\n', '', { tests: ['proxy/recorder'] }],
      [
        'what comes after the end is in its line',
        '{ exchange: { ...exchange }, duration }',
        '{ exchange, duration }',
        { tests: ['proxy/recorder'] },
      ],
      [
        'a decision that is over is under way',
        '        underWay--\n',
        '',
        { tests: ['proxy/recorder'] },
      ],
      [
        'a decision under way is not counted',
        '      underWay++\n',
        '',
        { tests: ['proxy/recorder'] },
      ],
      [
        'what waits for decisions waits for ever',
        '        if (underWay === 0) whenUndecided?.()\n',
        '',
        { tests: ['proxy/recorder'] },
      ],
      [
        'what waits for decisions waits for one',
        'if (underWay === 0) whenUndecided?.()',
        'whenUndecided?.()',
        { tests: ['proxy/recorder'] },
      ],
      [
        'nobody waits for decisions',
        'if (underWay === 0) then()',
        'then()',
        { tests: ['proxy/recorder'] },
      ],
      [
        'what need not wait waits',
        '      if (underWay === 0) then()\n',
        '',
        { tests: ['proxy/recorder'] },
      ],
    ],
  ),
  ...mutantsOf(
    'drain.ts',
    ['drain'],
    [
      ['there is no delay', '  await wait(Math.min(delay, timeout))\n', ''],
      ['the delay may be longer than the whole drain', 'Math.min(delay, timeout)', 'delay'],
      [
        'connections are still accepted',
        'const closed = stopAccepting(server).then(() => 0)',
        'const closed = new Promise<number>(() => undefined)',
      ],
      ['the last ends are not waited for', 'while (inFlight() > 0 &&', 'while (false &&'],
      ['what never ends is waited for', ' && now() < deadline', ''],
      ['tunnels are not closed', '  for (const tunnel of tunnels) tunnel.close(GOING_AWAY)\n', ''],
      [
        'tunnels are closed as if all were done',
        'const GOING_AWAY = 1001',
        'const GOING_AWAY = 1000',
        { tests: ['proxy/tunnel'] },
      ],
      ['new tunnels are opened', '  options.onStop()\n', ''],
      [
        'the end is waited for as long as it takes',
        '    () => cutAll(connections),\n',
        '    () => new Promise<number>(() => undefined),\n',
      ],
      [
        'what is left at the end stays open',
        '  for (const socket of connections) socket.destroy()\n',
        '',
      ],
      ['silent connections are waited for', '  watch.closeSilent()\n', ''],
      ['a connection in use is cut', 'return looks * LOOK_PERIOD >= SILENCE', 'return true'],
      [
        'a connection that has just sent a head is silent',
        'isResting && last?.bytes === bytes ?',
        'last?.bytes === bytes ?',
        { equivalent: 'before a connection is closed it is asked once more whether it rests' },
      ],
      [
        'a connection inside a head is closed',
        'if (connectionOf(socket).isResting()) socket.destroy()',
        'socket.destroy()',
        {
          equivalent:
            'only a connection that rested in the last half second comes here; this closes a gap of one turn of the loop',
        },
      ],
      [
        'silent connections are closed during the delay',
        'isSilent(socket) && isClosing',
        'isSilent(socket)',
      ],
    ],
  ),
]
