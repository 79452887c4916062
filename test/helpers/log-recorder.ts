/** One line of a log. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** A log that keeps its lines. */
export function createLogRecorder() {
  const lines: LogLine[] = []
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message })
  }
  const infoJson = (fields: string, message: string) =>
    at('info')(JSON.parse(`{${fields}}`), message)
  return { info: at('info'), infoJson, warn: at('warn'), error: at('error'), lines }
}
