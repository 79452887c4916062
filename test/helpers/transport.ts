import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import type { ServerTlsFiles } from '../../src/config/config.ts'
import { createAuthority } from './certificates.ts'
import type { Owner } from './program.ts'

/**
 * Whether this whole test file is to be run with TLS on the data port of every claimgate that it starts, with clients that
 * speak it: what holds for plain connections has to hold there.
 */
const isSecure = process.env['TEST_OVER_TLS'] === '1'

const authority = createAuthority()
const securePorts = new Set<number>()

/** Files for `tls`, where this run wants them. */
export function tlsOfThisRun(owner: Owner): { tls?: ServerTlsFiles } {
  return isSecure ? { tls: writeTlsFiles(owner) } : {}
}

/** Remembers that clients have to speak TLS on this port. */
export function noteDataPort(port: number, tls: ServerTlsFiles | undefined): void {
  if (tls !== undefined) securePorts.add(port)
  else securePorts.delete(port)
}

/** A connection to a port of this run, and the event that says that it is open. */
export function open(port: number): { readonly socket: Socket; readonly opened: string } {
  const plain = connect(port, '127.0.0.1')
  if (!securePorts.has(port)) return { socket: plain, opened: 'connect' }
  plain.on('error', () => undefined)
  const secure = connectTls({ socket: plain, ca: authority.cert, servername: 'localhost' })
  const socket = Object.assign(secure, {
    resetAndDestroy() {
      plain.resetAndDestroy()
      return secure
    },
  })
  return { socket, opened: 'secureConnect' }
}

/** A certificate for loopback and its key in a folder that goes with the owner. */
export function writeTlsFiles(owner: Owner): ServerTlsFiles & { readonly ca: string } {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-tls-'))
  owner.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { cert, key } = authority.issue({ names: ['127.0.0.1', 'localhost'] })
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  writeFileSync(certFile, cert)
  writeFileSync(keyFile, key)
  return { certFile, keyFile, clientCaFile: undefined, ca: authority.cert }
}
