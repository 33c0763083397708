import manifest from '../../package.json' with { type: 'json' }

/** Returns the `User-Agent` of a program that is released with this client, such as `jeton-cli/1.2.0`. */
export function userAgent(program = 'jeton-client'): string {
  return `${program}/${manifest.version}`
}
