import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createFileFetch } from '../../src/key-set/file.ts'
import { createKeySet } from '../../src/key-set/key-set.ts'
import { fileRules } from '../../src/key-set/open.ts'
import { parseKeyFile } from '../../src/key-set/pem.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createKey, publicJwk } from '../helpers/keys.ts'
import { createLogRecorder } from '../helpers/log-recorder.ts'

const { signal } = new AbortController()

function directoryOf(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'claimgate-file-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return directory
}

const setOf = (kid: string): string =>
  JSON.stringify({ keys: [publicJwk(createKey('ES256', kid))] })

t.test('reads the text, and says "not modified" to the tag of the same text', async (t) => {
  const path = join(directoryOf(t), 'keys.json')
  writeFileSync(path, '\ufeff{"keys":[]}')
  const fetch = createFileFetch(path)
  const first = await fetch(undefined, signal)
  t.match(first, { kind: 'set', text: '{"keys":[]}', maxAge: undefined })
  const etag = first.kind === 'set' ? first.etag : undefined
  t.same(await fetch(etag, signal), { kind: 'not-modified', maxAge: undefined })
  writeFileSync(path, '{"keys":[5]}')
  t.match(await fetch(etag, signal), { kind: 'set', text: '{"keys":[5]}' })
})

t.test(
  'what cannot be read is a failure that says why, with the path in the log alone',
  async (t) => {
    const directory = directoryOf(t)
    const pipe = join(directory, 'pipe')
    execFileSync('mkfifo', [pipe])
    const large = join(directory, 'large')
    writeFileSync(large, ' '.repeat(1024 * 1024 + 1))
    const wide = join(directory, 'wide')
    writeFileSync(wide, Buffer.from('\ufeff{"keys":[]}', 'utf16le'))
    for (const [path, why] of [
      [join(directory, 'absent'), 'it does not exist'],
      [directory, 'it is not a regular file'],
      [pipe, 'it is not a regular file'],
      [large, 'it is larger than 1 MiB'],
      [wide, 'it is not UTF-8 text'],
      [join(large, 'below'), 'it cannot be read'],
    ] as const) {
      t.same(await createFileFetch(path)(undefined, signal), {
        kind: 'failed',
        reason: `jwks_file ${path}: ${why}`,
        summary: `the key set file cannot be used: ${why}`,
        retryAfter: undefined,
      })
    }
  },
)

t.test('an abort ends the reading', async (t) => {
  const path = join(directoryOf(t), 'keys.json')
  writeFileSync(path, '{}')
  t.match(await createFileFetch(path)(undefined, AbortSignal.abort()), { kind: 'failed' })
})

/** A key set from a file on a fake clock; `settled` goes on by one period and waits for its reading. */
function createFileKeySet(t: Test, path: string) {
  const clock = createFakeClock()
  const log = createLogRecorder()
  const outcomes: string[] = []
  const keySet = createKeySet(fileRules(10_000), {
    time: clock,
    log,
    fetch: createFileFetch(path),
    parse: (text) => parseKeyFile(text, ['ES256']),
    onFetch: (outcome) => outcomes.push(outcome),
  })
  t.teardown(() => keySet.close())
  const readings = async (count: number): Promise<void> => {
    for (let tries = 0; outcomes.length < count || clock.pending().length === 0; tries += 1) {
      if (tries > 1_000) throw new Error(`${outcomes.length} readings, not ${count}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  return {
    keySet,
    log,
    outcomes,
    start: async () => {
      keySet.start()
      await readings(1)
    },
    nextReading: async () => {
      const count = outcomes.length
      await clock.advance(5_000)
      await readings(count + 1)
    },
    kids: () => keySet.find('ES256', undefined)?.map(({ kid }) => kid),
  }
}

t.test('a changed file is in use after 5 s', async (t) => {
  const path = join(directoryOf(t), 'keys.json')
  writeFileSync(path, setOf('a'))
  const { start, nextReading, kids, outcomes } = createFileKeySet(t, path)
  await start()
  t.same(kids(), ['a'])
  await nextReading()
  writeFileSync(path, setOf('b'))
  await nextReading()
  t.same(kids(), ['b'])
  t.same(outcomes, ['ok', 'not_modified', 'ok'])
})

t.test('a directory swapped by symbolic link, as Kubernetes does it, is noticed', async (t) => {
  const directory = directoryOf(t)
  for (const kid of ['a', 'b']) {
    mkdirSync(join(directory, kid))
    writeFileSync(join(directory, kid, 'keys.json'), setOf(kid))
  }
  symlinkSync('a', join(directory, '..data'))
  symlinkSync(join('..data', 'keys.json'), join(directory, 'keys.json'))
  const { start, nextReading, kids } = createFileKeySet(t, join(directory, 'keys.json'))
  await start()
  t.same(kids(), ['a'])
  symlinkSync('b', join(directory, '..data_tmp'))
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
  await nextReading()
  t.same(kids(), ['b'])
})

t.test('a file that is spoilt or removed leaves the last keys in use, told once', async (t) => {
  const path = join(directoryOf(t), 'keys.json')
  writeFileSync(path, setOf('a'))
  const { start, nextReading, kids, log } = createFileKeySet(t, path)
  await start()
  writeFileSync(path, '{"keys":[')
  for (let times = 0; times < 3; times += 1) await nextReading()
  t.same(kids(), ['a'])
  t.same(
    log.lines.map(({ fields }) => fields['reason']),
    [undefined, 'the key set is not JSON'],
  )
  rmSync(path)
  for (let times = 0; times < 3; times += 1) await nextReading()
  t.same(kids(), ['a'])
  t.equal(log.lines.length, 3)
  writeFileSync(path, setOf('b'))
  await nextReading()
  t.same(kids(), ['b'])
})

t.test('a file that comes later is in use after 5 s', async (t) => {
  const path = join(directoryOf(t), 'keys.json')
  const { start, nextReading, kids, keySet } = createFileKeySet(t, path)
  await start()
  t.equal(
    keySet.status().reason,
    'no key set was loaded: the key set file cannot be used: it does not exist',
  )
  writeFileSync(path, setOf('a'))
  await nextReading()
  t.same(kids(), ['a'])
})

t.test('an unknown key has the file read at once', async (t) => {
  const path = join(directoryOf(t), 'keys.json')
  writeFileSync(path, setOf('a'))
  const { start, keySet, kids } = createFileKeySet(t, path)
  await start()
  writeFileSync(path, setOf('b'))
  await keySet.refreshForUnknownKey('b')
  t.same(kids(), ['b'])
})
