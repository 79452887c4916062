import { mutantsOf } from './mutant.ts'

/** The listeners, TLS and reloading. */
export const OPERATIONS = [
  ...mutantsOf(
    'proxy/http-server.ts',
    ['server'],
    [
      ['a head may take any time', 'headersTimeout = config.headerTimeout', 'headersTimeout = 0'],
      [
        'heads are looked after every half minute',
        'connectionsCheckingInterval: Math.min(250, config.headerTimeout)',
        'connectionsCheckingInterval: 30_000',
      ],
      [
        'a head may have any size',
        'maxHeaderSize: config.maxHeaderSize',
        'maxHeaderSize: 16 * 1024 * 1024',
      ],
      [
        'the router sees the fields of the client',
        '    IncomingMessage: Message,\n',
        '',
        {
          equivalent:
            'the router looks at none as long as it takes every method for one without a body',
        },
      ],
      [
        'nobody is seen to wait for 100 Continue',
        'expect === undefined ? NO_FIELDS : { expect }',
        'NO_FIELDS',
        { tests: ['proxy/forward'] },
      ],
      [
        'the parser is lenient',
        'insecureHTTPParser: false',
        'insecureHTTPParser: true',
        { tests: ['proxy/data-server'] },
      ],
      [
        'a request without Host is answered in the form of Node',
        'requireHostHeader: false',
        'requireHostHeader: true',
        { tests: ['proxy/data-server'] },
      ],
      [
        'header lines beyond the limit are dropped in silence',
        'MAX_HEADER_LINES + 1',
        '500',
        { tests: ['proxy/passage'] },
      ],
      [
        'connections over the limit are without limit',
        '  server.maxConnections = config.maxConnections + REFUSAL_RESERVE\n',
        '',
        { tests: ['proxy/data-server'] },
      ],
      [
        'clients need no certificate',
        'requestCert: tls.ca !== undefined',
        'requestCert: false',
        { tests: ['proxy/admission'] },
      ],
      [
        'a bad certificate is let through',
        'rejectUnauthorized: true',
        'rejectUnauthorized: false',
        { tests: ['proxy/admission'] },
      ],
      [
        'h2 is agreed on',
        "ALPNProtocols: ['http/1.1']",
        "ALPNProtocols: ['h2', 'http/1.1']",
        { tests: ['proxy/admission'] },
      ],
      [
        'any public authority signs clients',
        '  ...(ca === undefined ? {} : { ca }),\n',
        '',
        { tests: ['proxy/admission'] },
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/roster.ts',
    ['proxy/roster'],
    [
      ['nobody is struck off', 'const last = entries.pop()', 'const last = entries.at(-1)'],
      ['somebody else is struck off', '    entries[place] = last\n', ''],
      ['who takes another place cannot leave it', '    last.place = place\n', ''],
      ['who left once can strike off others', 'if (isHere) strike(entry)', 'strike(entry)'],
      [
        'a walk misses who was moved',
        '() => entries.map(({ item }) => item).values()',
        'function* () {\n      for (const { item } of entries) yield item\n    }',
      ],
      [
        'who has left grows old',
        '      entries.push(entry)\n',
        '      Object.assign(entries.at(-1) ?? {}, { next: entry })\n      entries.push(entry)\n',
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/admission.ts',
    ['proxy/admission'],
    [
      [
        'any number of connections is admitted',
        '    if (connections.size >= limits().maxConnections)\n      return',
        '    if (connections.size === -1)\n      return',
        { tests: ['server'] },
      ],
      [
        'one connection too many is admitted',
        '    if (connections.size >= limits().maxConnections)\n      return',
        '    if (connections.size > limits().maxConnections)\n      return',
        { tests: ['server'] },
      ],
      [
        'one connection too many is admitted in TLS',
        'const hasPlace = connections.size < limits().maxConnections',
        'const hasPlace = connections.size <= limits().maxConnections',
      ],
      [
        'a connection does not count within its handshake',
        'hasPlace ? connections.add(raw) : undefined',
        'hasPlace ? () => undefined : undefined',
      ],
      [
        'one connection too many gets a place after its handshake',
        'if (handshake?.leave === undefined) return',
        'if (handshake === undefined) return',
      ],
      [
        'a handshake that failed counts for ever',
        '      clearTimeout(timer)\n      leave?.()\n',
        '      clearTimeout(timer)\n',
      ],
      ['a handshake may take any time', '      raw.destroy()\n', ''],
      [
        'a handshake that was in time ends its connection all the same',
        '    clearTimeout(handshake?.timer)\n',
        '',
      ],
      [
        'a failed handshake is answered',
        "  server.removeAllListeners('tlsClientError')\n",
        '',
        { equivalent: 'a connection that has brought no byte of HTTP is closed without an answer' },
      ],
      [
        'who says nothing is logged',
        'const isSilent = raw.bytesRead === 0',
        'const isSilent = false',
      ],
      [
        'a tunnel cannot end one side after the other',
        '    socket.allowHalfOpen = true\n',
        '',
        { tests: ['e2e/over-tls'] },
      ],
    ],
  ),
  ...mutantsOf(
    'tls/material.ts',
    ['tls/material'],
    [
      [
        'a key that belongs to another certificate is taken',
        '!leaf.checkPrivateKey(key.value)',
        'false',
      ],
      ['a file without a certificate is taken', 'all.length === 0 ? undefined : all', 'all'],
      [
        'a pipe is waited for',
        "if (!stats.isFile()) return { got: 'something else than a file' }\n",
        '',
      ],
      [
        'a file may have any size',
        "if (stats.size > MAX_SIZE) return { got: 'a file over 1 MiB' }\n",
        '',
      ],
    ],
  ),
  ...mutantsOf(
    'watch.ts',
    ['watch'],
    [
      [
        'a file that is being written is a change',
        '    if ((await sealOf(looked)) !== first || looked !== paths || isClosed) return\n',
        '',
      ],
      ['a change is told again and again', '    known = first\n', ''],
    ],
  ),
  ...mutantsOf(
    'listen.ts',
    ['listen'],
    [
      ['a socket in use is taken away', 'if (await isAnswered(path))', 'if (path === undefined)'],
      ['any file is removed', '!stats.isSocket()', 'path === undefined'],
      ['a stale socket stays', '  unlinkSync(path)\n', ''],
    ],
  ),
  ...mutantsOf(
    'succession.ts',
    ['succession'],
    [
      [
        'keys are not waited for',
        'next.keySet === current.keySet || isUsable(next) || !isUsable(current)',
        'true',
      ],
      ['where there are no keys the next are waited for', ' || !isUsable(current)', ''],
      ['what was used before is never closed', '    old.retire(next)\n', ''],
      ['who waits is not given up', '      stopWaiting()?.retire(current)\n      if', '      if'],
    ],
  ),
  ...mutantsOf(
    'reload.ts',
    ['reload'],
    [
      [
        'what needs a restart is taken',
        "        if (blocked.length > 0) return settle('error')\n",
        '',
      ],
      ['the listener keeps its settings', '          adapt(config)\n', ''],
      ['a good reload is not counted', "          settle('ok')\n", ''],
    ],
  ),
  ...mutantsOf(
    'generation.ts',
    ['reload'],
    [
      ['a reload forgets what was replayed', 'previous?.replayGuard ?? createGuard', 'createGuard'],
      ['a key set is never changed', 'isSameKeySet(config, previous?.config)', 'true'],
    ],
  ),
]
