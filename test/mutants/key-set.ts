import { type Mutant, mutantsOf } from './mutant.ts'

/** When the key set is loaded, how long its keys serve, and who waits for it. */
export const KEY_SET: readonly Mutant[] = [
  ...mutantsOf(
    'key-set/holder.ts',
    ['key-set/key-set'],
    [
      [
        'keys serve for ever',
        'doubted ? Math.max(0, loadedAt + maxStale - now()) : Number.POSITIVE_INFINITY',
        'Number.POSITIVE_INFINITY',
      ],
      ['keys lapse while loads work', 'return doubted ? Math', 'return true ? Math'],
      [
        'keys serve one moment longer',
        'loadedAt + maxStale - now()',
        'loadedAt + maxStale - now() + 1',
      ],
      ['lapsed keys are still found', 'if (usableFor() === 0) return undefined', ''],
      [
        'without keys every key is unknown',
        'if (usableFor() === 0) return undefined',
        'if (usableFor() === 0) return NO_KEYS',
      ],
      [
        'new keys are added to the old ones',
        'byAlgorithm = indexByAlgorithm(content.keys)',
        'byAlgorithm = indexByAlgorithm([...[...byAlgorithm.values()].flatMap(({ all }) => all), ...content.keys])',
      ],
      [
        'new keys are as old as the last',
        'byAlgorithm = indexByAlgorithm(content.keys)\n      renew()',
        'byAlgorithm = indexByAlgorithm(content.keys)',
      ],
      ['a failure makes nobody doubt', '      doubted = true\n', ''],
      ['one failure is never forgotten', '    doubted = false\n', ''],
      ['a confirmed set is as old as before', '    loadedAt = now()\n', ''],
      ['lapsed keys are ready', 'held !== undefined && usableFor() > 0', 'held !== undefined'],
      [
        'a key fits any algorithm',
        'if (fitting === undefined) return NO_KEYS',
        'if (fitting === undefined) return held?.keys',
        { tests: ['key-set/holder'] },
      ],
      [
        'a kid is not looked at',
        'fitting.byName.get(kid) ?? fitting.byName.get(undefined) ?? NO_KEYS',
        'fitting.all',
        { tests: ['key-set/holder'] },
      ],
      [
        'a key without a name fits none',
        'fitting.byName.get(kid) ?? fitting.byName.get(undefined) ?? NO_KEYS',
        'fitting.byName.get(kid) ?? NO_KEYS',
        { tests: ['key-set/holder'] },
      ],
      [
        'a key without a name fits before one of that name',
        'fitting.byName.get(kid) ?? fitting.byName.get(undefined)',
        'fitting.byName.get(undefined) ?? fitting.byName.get(kid)',
        { tests: ['key-set/holder'] },
      ],
      [
        'without kid no key fits',
        'if (kid === undefined) return fitting.all',
        '',
        { tests: ['key-set/holder'] },
      ],
      [
        'a key that came counts as unknown',
        '(held?.keys.some((key) => key.kid === kid) ?? false)',
        'false',
        { tests: ['key-set/unknown-key'] },
      ],
      [
        'any key that came is the one',
        '(held?.keys.some((key) => key.kid === kid) ?? false)',
        'true',
        { tests: ['key-set/unknown-key'] },
      ],
    ],
  ),
  ...mutantsOf(
    'key-set/load.ts',
    ['key-set/load', 'key-set/key-set'],
    [
      [
        'a failed load drops the keys',
        '      holder.doubt()\n',
        "      holder.doubt()\n      holder.replace({ keys: [], text: '', etag: undefined })\n",
      ],
      ['a failed load is no failure', '      holder.doubt()\n', '', { tests: ['key-set/key-set'] }],
      ['what was read is not used', '    change.apply()\n', ''],
      [
        'after the end keys still change',
        "    if (signal.aborted) return failure('closed')\n",
        '',
        { tests: ['key-set/key-set'] },
      ],
      [
        'a source that throws ends the loading',
        'signal).catch(() => UNEXPECTED)',
        'signal)',
        { tests: ['key-set/key-set'] },
      ],
      [
        '"not modified" to a first request is fine',
        `if (held === undefined) return failure('the answer is "not modified" to a first request')`,
        '',
        { tests: ['key-set/load'] },
      ],
      [
        'an empty set takes the place of good keys',
        "if (parsed.kind !== 'keys') return failure(parsed.reason)\n  const { keys, notes } = parsed",
        "const { keys, notes } = parsed.kind === 'keys' ? parsed : { keys: [], notes: [] }",
        { tests: ['key-set/load'] },
      ],
      ['no entity tag is sent', 'fetch(holder.held()?.etag, signal)', 'fetch(undefined, signal)'],
      ['a failure is told as a success', "      onFetch('error')\n", "      onFetch('ok')\n"],
      [
        'an equal text is read again',
        'if (held?.text === text) {',
        'if (false) {',
        { tests: ['key-set/load'] },
      ],
    ],
  ),
  ...mutantsOf(
    'key-set/refresher.ts',
    ['key-set/key-set'],
    [
      [
        'loads run side by side',
        'if (flight === undefined && !closed()) fly',
        'if (!closed()) fly',
      ],
      [
        'after the end a load can start',
        'if (flight === undefined && !closed()) fly',
        'if (flight === undefined) fly',
      ],
      ['after the end the next load is planned', '    if (closed()) return\n', ''],
      [
        'a forced load leaves the planned one',
        '    cancelTimer()\n    const done',
        '    const done',
        { tests: ['key-set/unknown-key'] },
      ],
      [
        'the end leaves the planned load',
        '      cancelTimer()\n      closing.abort()',
        '      closing.abort()',
      ],
      [
        'the end leaves the load under way',
        '      cancelTimer()\n      closing.abort()',
        '      cancelTimer()',
      ],
      [
        'a load that has landed is still under way',
        'flight = undefined\n    if',
        'if',
        { tests: ['key-set/unknown-key'] },
      ],
      ['failures in a row are not counted', 'failed ? failures + 1 : 0', '1'],
      [
        'failures are counted over successes',
        'failed ? failures + 1 : 0',
        'failures + (failed ? 1 : 0)',
      ],
      [
        'nothing is loaded again',
        "cancelTimer = time.setTimer(() => void fly('scheduled'), delay)",
        '',
      ],
    ],
  ),
  ...mutantsOf(
    'key-set/schedule.ts',
    ['key-set/schedule'],
    [
      ['the max-age of an answer does not count', 'maxAge === undefined\n', 'refresh >= 0\n'],
      [
        'a short max-age is followed',
        'clamp(maxAge, MIN_MAX_AGE, MAX_MAX_AGE)',
        'clamp(maxAge, 0, MAX_MAX_AGE)',
      ],
      [
        'a long max-age keeps a revoked key',
        'clamp(maxAge, MIN_MAX_AGE, MAX_MAX_AGE)',
        'clamp(maxAge, MIN_MAX_AGE, Infinity)',
      ],
      [
        'the period may be nothing',
        'clamp(refresh, SECOND, LONGEST_REFRESH)',
        'clamp(refresh, 0, LONGEST_REFRESH)',
      ],
      [
        'the period may be endless',
        'clamp(refresh, SECOND, LONGEST_REFRESH)',
        'clamp(refresh, SECOND, Infinity)',
      ],
      ['all replicas ask at once', 'period * (1 - random / 10)', 'period'],
      [
        'tries do not become fewer',
        '2 ** Math.min(failures - 1, MAX_DOUBLINGS)',
        '1',
        { tests: ['key-set/key-set'] },
      ],
      [
        'doubling has no end',
        'Math.min(failures - 1, MAX_DOUBLINGS)',
        'failures',
        { tests: ['key-set/key-set'] },
      ],
      ['waits have no limit', 'Math.min(doubled, limit)', 'doubled'],
      [
        'Retry-After is not followed',
        'Math.max(spread, Math.min(retryAfter ?? 0, limit))',
        'spread',
        { tests: ['key-set/key-set'] },
      ],
      ['Retry-After has no limit', 'Math.min(retryAfter ?? 0, limit)', '(retryAfter ?? 0)'],
      [
        'keys lapse between two tries',
        'usableFor > 0 ? Math.min(delay, Math.max(usableFor, SECOND)) : delay',
        'delay',
      ],
      ['the last try before keys lapse is a busy loop', 'Math.max(usableFor, SECOND)', 'usableFor'],
    ],
  ),
  ...mutantsOf(
    'key-set/unknown-key.ts',
    ['key-set/unknown-key'],
    [
      [
        'an unknown key fetches each time',
        'forcedAt === undefined || now() - forcedAt >= wait',
        'true',
      ],
      ['the cooldown is one moment longer', 'now() - forcedAt >= wait', 'now() - forcedAt > wait'],
      ['only one fetch is ever forced', ' || now() - forcedAt >= wait', ''],
      ['fruitless fetches go on as often', 'Math.min(nextWait * 2,', 'Math.min(nextWait,'],
      [
        'fruitless fetches wait without end',
        'LONGEST_COOLDOWN: Milliseconds = 30_000',
        'LONGEST_COOLDOWN: Milliseconds = 3_000_000',
      ],
      ['a key that came leaves the wait long', 'isFound ? cooldown : nextWait', 'nextWait'],
      ['a key that came leaves the next wait long', 'isFound ? cooldown : Math.min', 'Math.min'],
      ['a fetch under way is not shared', 'if (shared !== undefined) {', 'if (shared === null) {'],
      ['nobody waits for a fetch under way', '      await shared.done\n', ''],
      ['nobody waits for a forced fetch', "await fly('forced').done", "void fly('forced').done"],
      [
        'a planned fetch under way is not waited for',
        'if (current === undefined || current.forced) return false',
        'if (current !== null) return false',
      ],
      [
        'a planned fetch under way is always enough',
        "return kind === 'failed' || holder.has(kid)",
        'return true',
      ],
      [
        'after a planned fetch another always follows',
        "return kind === 'failed' || holder.has(kid)",
        'return false',
      ],
      [
        'after a failed fetch another follows',
        "kind === 'failed' || holder.has(kid)",
        'holder.has(kid)',
      ],
      [
        'without usable keys an unknown one fetches',
        'closed() || holder.usableFor() === 0',
        'closed()',
      ],
      [
        'after the end an unknown key fetches',
        'closed() || holder.usableFor() === 0',
        'holder.usableFor() === 0',
        { tests: ['key-set/key-set'] },
      ],
    ],
  ),
]
