import t from 'tap'
import type { AllowEntry } from '../../src/config/config.ts'
import { createMissing } from '../../src/policy/missing.ts'

const entry = (changes: Partial<AllowEntry>): AllowEntry => ({
  paths: undefined,
  methods: undefined,
  claims: [{ claim: 'groups', globs: ['x'] }],
  ...changes,
})
const visit = (path: string, method = 'GET') => ({ path, method, claims: {} })

t.test('the first thing that no entry has is what is missing', async (t) => {
  const missing = createMissing([
    entry({ paths: ['/a/*'], methods: ['GET', 'HEAD'] }),
    entry({ paths: ['/a/b'], methods: ['POST'] }),
  ])
  t.equal(missing(visit('/b')), 'path')
  t.equal(missing(visit('/a/../b')), 'path')
  t.equal(missing(visit('/a/c', 'POST')), 'method')
  t.equal(missing(visit('/a/c')), 'claims')
  t.equal(missing(visit('/a/b', 'POST')), 'claims')
})

t.test('an entry without paths or methods is about all of them', async (t) => {
  t.equal(createMissing([entry({})])(visit('/x', 'PURGE')), 'claims')
  t.equal(createMissing([entry({ methods: ['GET'] })])(visit('/x', 'PURGE')), 'method')
})

t.test('a list without entries is about nothing', async (t) => {
  t.equal(createMissing([])(visit('/')), 'path')
  t.equal(createMissing(undefined)(visit('/')), 'path')
})
