/**
 * Loaded before dist/cli.js by the bench alone, as `verify-at.ts?loop` or `?pool`: every signature is checked there,
 * however many processors there are. There is no setting for this.
 */
import { registerHooks } from 'node:module'

const CHOOSER = '/dist/key-set/signature.js'
const CHOICE = "processors > 1 ? 'pool' : 'loop'"
const where = new URL(import.meta.url).search.slice(1)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith(CHOOSER)) return loaded
    const source = String(loaded.source)
    if (!source.includes(CHOICE)) throw new Error(`no choice of a place in ${CHOOSER}`)
    return { ...loaded, source: source.replace(CHOICE, `'${where}'`) }
  },
})
