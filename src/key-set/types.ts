import type { CryptoKey } from 'jose'
import type { Milliseconds } from '../config/config.ts'

/** A public key that may verify assertions signed with `alg`. */
export interface VerificationKey {
  readonly kid: string | undefined
  readonly alg: string
  readonly key: CryptoKey
}

export interface KeySetStatus {
  /** Whether assertions can be verified now. */
  readonly usable: boolean
  readonly keys: number
  /** Time since the last successful load; `undefined` before the first. */
  readonly age: Milliseconds | undefined
  /** Why it is not usable, for people; `undefined` when it is. Holds no address. */
  readonly reason: string | undefined
}

export interface KeySet {
  /**
   * The keys that fit `alg` and, where given, `kid`, from memory. Without `kid`: every key that fits `alg`.
   * `undefined`: there is no usable key set, so nothing can be decided.
   */
  find(alg: string, kid: string | undefined): readonly VerificationKey[] | undefined
  /**
   * Called after `find` gave no key: fetches the set again, at most once per cooldown and shared by all callers.
   * Resolves when the set is as fresh as it will get; never rejects.
   */
  refreshForUnknownKey(kid: string | undefined): Promise<void>
  status(): KeySetStatus
  /** Loads in the background, now and from then on. */
  start(): void
  close(): void
}
