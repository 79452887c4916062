import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { ORIGINALS, OWN } from '../helpers/corpus.ts'

/** Copies of these are not wanted: Apache-2.0, by others. */
const VECTORS = ['ecdsa-p256-p1363.json', 'jwks-wycheproof.json', 'jws-wycheproof.json']

const jsonOf = (folder: URL): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()

t.test('the corpus in the project is the whole of what may be copied', async (t) => {
  if (!existsSync(ORIGINALS)) {
    t.pass('nothing to compare with', { skip: 'no ../shared/corpus' })
    return
  }
  const wanted = jsonOf(ORIGINALS).filter((name) => !VECTORS.includes(name))
  t.strictSame(jsonOf(OWN), wanted)
  for (const name of wanted)
    t.ok(
      readFileSync(new URL(name, OWN)).equals(readFileSync(new URL(name, ORIGINALS))),
      `${name} is as it came`,
    )
})

t.test('every file in it may be given away', async (t) => {
  for (const name of jsonOf(OWN)) {
    const { licence } = JSON.parse(readFileSync(new URL(name, OWN), 'utf8')) as { licence: string }
    t.match(licence, /CC0-1\.0/, name)
  }
})
