/** One thing that was looked at. */
export interface Finding {
  /** `settings`, `key set`, `clock`, `headers`, `upstream`. */
  readonly about: string
  readonly severity: 'ok' | 'warning' | 'error'
  /** One sentence without a final period. */
  readonly message: string
  /** What to change: a setting, of Pomerium where it says so. */
  readonly change: string | undefined
}

/** Makes the findings about one thing. */
export const findingsAbout = (about: string) => ({
  ok: (message: string): Finding => ({ about, severity: 'ok', message, change: undefined }),
  warning: (message: string, change: string): Finding => ({
    about,
    severity: 'warning',
    message,
    change,
  }),
  error: (message: string, change: string): Finding => ({
    about,
    severity: 'error',
    message,
    change,
  }),
})

const MARKS = { ok: '✓', warning: '!', error: '✗' } as const

/** One line. */
export const findingLine = ({ about, severity, message, change }: Finding): string =>
  `${MARKS[severity]} ${about.padEnd(9)} ${message}${change === undefined ? '' : ` → ${change}`}\n`
