import type { Kind } from './kinds.ts'
import type { Values } from './values.ts'

/** One row of the table of settings: all that the program, its help and its reference know about the setting. */
export interface Setting<T> {
  readonly kind: Kind<T>
  /**
   * The default as an operator would write it; read by the same parser. Only a setting that may be undefined can do
   * without.
   */
  readonly fallback: undefined extends T ? string | undefined : string
  /** One or two sentences, Markdown. Says unit and range where `kind` does not. */
  readonly summary: string
  /** Where the value comes from when it is not set, for the reference. */
  readonly otherwise?: string
  /** Stands in config.example.yaml where there is no default to show. */
  readonly example?: string
}

export type SettingName = keyof Values

/** Rows for some settings; a row of the wrong type does not compile. */
export type Rows<Names extends SettingName> = {
  readonly [Name in Names]: Setting<Values[Name]>
}
