import { readdirSync } from 'node:fs'
import t from 'tap'
import { OWN, readCorpus } from '../helpers/corpus.ts'

t.test('every recorded attack in the project may be given away', async (t) => {
  const files = readdirSync(OWN)
  t.ok(files.length > 0)
  for (const file of files)
    t.match(readCorpus<{ readonly licence: string }>(file).licence, /CC0-1\.0/, file)
})
