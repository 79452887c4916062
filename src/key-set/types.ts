import type { Milliseconds } from '../config/config.ts'

/**
 * Whether `signature`, in the form that a JWS gives it, is a key's signature over `signed`. May throw or reject where the
 * signature has no sense.
 */
export type CheckSignature = (
  signed: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>

/** A public key that may verify assertions signed with `alg`. */
export interface VerificationKey {
  readonly kid: string | undefined
  readonly alg: string
  readonly check: CheckSignature
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

/** The part of the log that the key set uses: facts first, then a fixed message. */
export interface KeySetLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Why a load gave no keys, told twice. */
export interface LoadFailure {
  readonly kind: 'failed'
  /** For the operator's log: may name the host and the setting that helps, never holds bytes of the answer. */
  readonly reason: string
  /** For readiness answers: names no address. */
  readonly summary: string
  /** How long the endpoint asked to be left alone; `undefined` when it did not say. */
  readonly retryAfter: Milliseconds | undefined
}

/** One reading of the source. `maxAge` is what the answer allows it to be kept; `undefined` when it says nothing. */
export type FetchResult =
  | {
      readonly kind: 'set'
      readonly text: string
      readonly etag: string | undefined
      readonly maxAge: Milliseconds | undefined
    }
  | { readonly kind: 'not-modified'; readonly maxAge: Milliseconds | undefined }
  | LoadFailure

/**
 * Reads the source once; never rejects. `etag` is that of the text in use: the same text may be answered with
 * `not-modified`. An abort of `signal` ends it early.
 */
export type FetchKeySet = (etag: string | undefined, signal: AbortSignal) => Promise<FetchResult>

/** What a text holds. Reasons and notes are fixed wording about positions and algorithms, without bytes of the text. */
export type ParsedKeySet =
  | {
      readonly kind: 'keys'
      readonly keys: readonly VerificationKey[]
      /** One sentence for each key that was left out, and for what looks odd. */
      readonly notes: readonly string[]
    }
  | {
      readonly kind: 'no-signing-key' | 'no-fitting-key' | 'not-a-key-set'
      readonly reason: string
    }

/** Reads keys out of a text; never rejects. */
export type ParseKeySet = (text: string) => Promise<ParsedKeySet>
