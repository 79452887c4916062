/** Writes the files that come from the table of settings: `npm run docs`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GENERATED } from '../src/config/guide.ts'

for (const [name, text] of Object.entries(GENERATED)) {
  const path = fileURLToPath(new URL(`../${name}`, import.meta.url))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text())
  console.log(`wrote ${name}`)
}
