/** Longer than any line that claimgate writes: a path of 2 KiB, texts of 256 characters. */
const MAX_LINE = 64 * 1024

/**
 * The lines of a stream of UTF-8, without their ends; the last one also without. A line longer than 64 KiB comes as
 * `''`, so that a stream without line ends costs no memory.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  let isTooLong = false
  for await (const chunk of chunks) {
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n')
    rest += first
    for (const next of others) {
      yield isTooLong || rest.length > MAX_LINE ? '' : rest
      isTooLong = false
      rest = next
    }
    if (rest.length <= MAX_LINE) continue
    isTooLong = true
    rest = ''
  }
  if (isTooLong) yield ''
  else if (rest !== '') yield rest
}
