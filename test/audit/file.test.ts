import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createFileSink, openAppending, type WriteSome, writeTo } from '../../src/audit/file.ts'

function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A disk with room for so many bytes, which takes `most` of them at a time. */
function smallDisk(room: number, most = Number.POSITIVE_INFINITY) {
  let content = ''
  const disk = { room }
  const writeSome: WriteSome = (bytes, offset, done) => {
    const count = Math.min(bytes.length - offset, disk.room - content.length, most)
    if (count <= 0) return done(Object.assign(new Error('full'), { code: 'ENOSPC' }), 0)
    content += bytes.toString('latin1', offset, offset + count)
    done(null, count)
  }
  return { disk, writeSome, content: () => content }
}

function sinkOf(writeSome: WriteSome) {
  const lost: unknown[][] = []
  const sink = createFileSink(writeSome, (...what) => lost.push(what))
  sink.on('error', () => t.fail('no error may end the sink'))
  const put = (batch: string) => new Promise<void>((resolve) => sink.write(batch, () => resolve()))
  return { put, lost }
}

t.test('a file is made for its group, appended to, and kept as it was', async (t) => {
  const path = join(temporaryFolder(t), 'audit.log')
  writeFileSync(path, 'old\n')
  const { put, lost } = sinkOf(writeTo(openAppending(path)))
  await put('1\n2\n')
  await put('é\n')
  t.equal(readFileSync(path, 'utf8'), 'old\n1\n2\né\n')
  t.same(lost, [])
  const fresh = join(temporaryFolder(t), 'new.log')
  openAppending(fresh)
  t.equal(statSync(fresh).mode & 0o137, 0, 'neither for everybody nor to be run')
})

t.test('what cannot be appended to is told at once', async (t) => {
  const folder = temporaryFolder(t)
  t.throws(() => openAppending(join(folder, 'absent', 'audit.log')), { code: 'ENOENT' })
  t.throws(() => openAppending(folder), { code: 'EISDIR' })
  t.throws(() => openAppending('/dev/null'), /audit_log must be a plain file/)
})

t.test('writes that take less than a batch go on where they stopped', async (t) => {
  const { writeSome, content } = smallDisk(1_000, 3)
  const { put, lost } = sinkOf(writeSome)
  await put('one\ntwo\n')
  t.equal(content(), 'one\ntwo\n')
  t.same(lost, [])
})

t.test('a full disk loses whole lines, tells how many, and takes new ones after', async (t) => {
  const { disk, writeSome, content } = smallDisk(6)
  const { put, lost } = sinkOf(writeSome)
  await put('one\ntwo\nthree\n')
  t.equal(content(), 'one\ntw')
  t.same(lost, [[2, 'ENOSPC']])
  await put('four\nfive\n')
  t.same(lost, [
    [2, 'ENOSPC'],
    [2, 'ENOSPC'],
  ])
  disk.room = 100
  await put('six\n')
  await put('seven\n')
  t.equal(content(), 'one\ntw\nsix\nseven\n', 'the torn line stands alone')
  t.equal(lost.length, 2)
})

t.test('a disk that is full at the end of a line leaves none torn', async (t) => {
  const { disk, writeSome, content } = smallDisk(4)
  const { put, lost } = sinkOf(writeSome)
  await put('one\ntwo\n')
  t.same(lost, [[1, 'ENOSPC']])
  disk.room = 100
  await put('three\n')
  t.equal(content(), 'one\nthree\n')
})

t.test('a write that takes nothing and says nothing is no reason to try for ever', async (t) => {
  const { put, lost } = sinkOf((_bytes, _offset, done) => done(null, 0))
  await put('one\n')
  t.same(lost, [[1, 'EIO']])
})
