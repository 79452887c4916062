import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { watchFiles } from '../src/watch.ts'
import { until } from './helpers/program.ts'

function setUp(t: Test, names: readonly string[] = ['a']) {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-watch-'))
  const paths = names.map((name) => join(folder, name))
  let changes = 0
  const watch = watchFiles({ onChange: () => void changes++, period: 20 })
  t.teardown(() => {
    watch.close()
    rmSync(folder, { recursive: true })
  })
  return { folder, path: paths[0] ?? '', paths, watch, changes: () => changes }
}

t.test('a change is told once, and equal content is none', async (t) => {
  const { path, watch, changes } = setUp(t)
  writeFileSync(path, 'one')
  watch.follow([path])
  writeFileSync(path, 'one')
  await wait(400)
  t.equal(changes(), 0)
  writeFileSync(path, 'two')
  await until(() => changes() === 1, 'told')
  await wait(400)
  t.equal(changes(), 1)
})

t.test('a file that goes on changing is waited for', async (t) => {
  const { path, watch, changes } = setUp(t)
  writeFileSync(path, '')
  watch.follow([path])
  let text = ''
  const timer = setInterval(() => {
    text += 'x'
    writeFileSync(path, text)
  }, 30)
  t.teardown(() => clearInterval(timer))
  await wait(900)
  t.equal(changes(), 0)
  clearInterval(timer)
  await until(() => changes() === 1, 'told')
})

t.test('a folder that is swapped by symbolic link is a change', async (t) => {
  const { folder, watch, changes } = setUp(t)
  for (const [name, text] of [
    ['..1', 'one'],
    ['..2', 'two'],
  ] as const) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'key'), text)
  }
  symlinkSync('..1', join(folder, '..data'))
  symlinkSync(join('..data', 'key'), join(folder, 'key'))
  watch.follow([join(folder, 'key')])
  symlinkSync('..2', join(folder, '..data_tmp'))
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  await until(() => changes() === 1, 'told')
})

t.test('a file that goes and comes back is two changes', async (t) => {
  const { path, watch, changes } = setUp(t)
  writeFileSync(path, 'one')
  watch.follow([path])
  rmSync(path)
  await until(() => changes() === 1, 'gone')
  writeFileSync(path, 'one')
  await until(() => changes() === 2, 'back')
})

t.test('what is no file is never opened, a large one never read', async (t) => {
  const { path, watch, changes } = setUp(t)
  const large = `${path}-large`
  writeFileSync(large, 'x'.repeat(1024 * 1024 + 1))
  watch.follow(['/dev/zero', large])
  writeFileSync(large, 'x'.repeat(1024 * 1024 + 2))
  await until(() => changes() === 1, 'told by its size')
})

t.test('only the files it was told last are followed, and none after its end', async (t) => {
  const { paths, watch, changes } = setUp(t, ['a', 'b'])
  const [first = '', second = ''] = paths
  watch.follow([first])
  watch.follow([second])
  writeFileSync(first, 'x')
  await wait(400)
  t.equal(changes(), 0)
  writeFileSync(second, 'x')
  await until(() => changes() === 1, 'told')
  watch.close()
  writeFileSync(second, 'y')
  await wait(400)
  t.equal(changes(), 1)
})
